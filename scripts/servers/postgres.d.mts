export function ensurePostgres(cache: string): { readonly bin: string; readonly libraries: string | undefined };
