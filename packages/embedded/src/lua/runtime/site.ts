/** A place in a chunk at which something can fail: what error messages and error handlers say about it. */
export interface Chunk {
  /** As the loader named it: `@user_script`, or the text of a loaded string. */
  readonly source: string;
  /** As messages show it: `user_script`, `[string "return 1"]`. */
  readonly label: string;
}

export interface Site {
  readonly chunk: Chunk;
  /** -1 for a function of a library, which has no lines. */
  readonly line: number;
  /** What the (left) operand or the called value is, such as `local 'x'`; "" when it has no name. */
  readonly left: string;
  readonly right: string;
  /** The called function's name as its caller knows it. */
  readonly name: string | undefined;
  readonly method: boolean;
  /** A call whose frame is replaced by the called Lua function's. */
  readonly tail: boolean;
}

/** Stands for a library function in the list of frames. */
export const LIBRARY_SITE: Site = {
  chunk: { source: "=[C]", label: "[C]" },
  line: -1,
  left: "",
  right: "",
  name: undefined,
  method: false,
  tail: false,
};

const LABEL_ROOM = 60;

/** Lua's luaO_chunkid: how a chunk is called in messages. */
export function chunkLabel(source: string, room: number = LABEL_ROOM): string {
  const text = cString(source);
  if (text.startsWith("=")) return text.slice(1, room);
  if (text.startsWith("@")) return fileLabel(text.slice(1), room - " '...' ".length - 1);
  const line = /^[^\n\r]*/.exec(text)![0];
  const shown = line.slice(0, room - ' [string "..."] '.length - 1);
  return `[string "${shown.length < text.length ? `${shown}...` : shown}"]`;
}

function fileLabel(name: string, room: number): string {
  return name.length > room ? `...${name.slice(name.length - room)}` : name;
}

/** Up to the first zero byte, where C sees the end. */
export function cString(text: string): string {
  const end = text.indexOf("\0");
  return end === -1 ? text : text.slice(0, end);
}
