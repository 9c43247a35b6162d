/** The map as the page draws it: outlines as SVG paths and airports as points, projected once at the start. */
import { readFile } from "node:fs/promises";
import { geoAlbersUsa, geoPath } from "d3-geo";
import { feature, mesh } from "topojson-client";
import type { GeometryCollection, Topology } from "topojson-specification";
import type { Airport } from "../data/airports.ts";
import { dataFile } from "../data/source.ts";

export interface MapPoint {
  readonly code: string;
  readonly name: string;
  readonly city: string;
  readonly state: string;
  /** In the map's own units; undefined off the map (Puerto Rico, Guam ...). */
  readonly x?: number;
  readonly y?: number;
}

export interface MapData {
  readonly width: number;
  readonly height: number;
  /** SVG path of the country's outline, and of the borders between states. */
  readonly nation: string;
  readonly borders: string;
  readonly airports: readonly MapPoint[];
}

type UsTopology = Topology<{ states: GeometryCollection; land: GeometryCollection }>;

const WIDTH = 975;
const HEIGHT = 610;

export async function drawMap(airports: Iterable<Airport>): Promise<MapData> {
  const topology = JSON.parse(await readFile(dataFile("us-10m.json"), "utf8")) as UsTopology;
  const { states } = topology.objects;
  const projection = geoAlbersUsa().fitSize([WIDTH, HEIGHT], feature(topology, states));
  const path = geoPath(projection).digits(1);
  const points = [...airports].map(({ code, name, city, state, lon, lat }): MapPoint => {
    const [x, y] = projection([lon, lat]) ?? [];
    return { code, name, city, state, ...(x === undefined || y === undefined ? {} : { x: round(x), y: round(y) }) };
  });
  return {
    width: WIDTH,
    height: HEIGHT,
    nation: path(mesh(topology, states, (a, b) => a === b)) ?? "",
    borders: path(mesh(topology, states, (a, b) => a !== b)) ?? "",
    airports: points,
  };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
