import { expect, it } from "vitest";
import { parseCsv, readAirports } from "./airports.ts";
import { dayOf, type Flight, readFlights } from "./flights.ts";

async function collect(flights: AsyncIterable<Flight>): Promise<Flight[]> {
  const all: Flight[] = [];
  for await (const flight of flights) all.push(flight);
  return all;
}

it("the first flights are read in order of time", async () => {
  const flights = await collect(readFlights(20_000));
  expect(flights).toHaveLength(20_000);
  expect(flights[0]).toEqual({
    index: 0,
    at: Date.parse("2001-01-01T00:47:00Z"),
    delay: 66,
    distance: 1_750,
    origin: "DTW",
    destination: "LAS",
  });
  expect(dayOf(flights[0]!)).toBe("2001-01-01");
  for (const [index, flight] of flights.entries()) {
    expect(flight.index).toBe(index);
    expect(flight.at).toBeGreaterThanOrEqual(flights[index - 1]?.at ?? 0);
  }
});

it("a successor reads on exactly where its predecessor stopped", async () => {
  const [whole, head, tail] = await Promise.all([
    collect(readFlights(300)),
    collect(readFlights(300, 0, 120)),
    collect(readFlights(300, 120)),
  ]);
  expect([...head, ...tail]).toEqual(whole);
});

it("more flights than the JSON file has come from the Parquet file, across its row groups", async () => {
  const seam = await collect(readFlights(280_000, 272_720, 272_735));
  expect(seam.map((flight) => flight.index)).toEqual(Array.from({ length: 15 }, (_, offset) => 272_720 + offset));
  expect(seam.every(({ at, delay, distance }) => [at, delay, distance].every(Number.isFinite))).toBe(true);
});

it("every airport of the flights has a place", async () => {
  const airports = await readAirports();
  const codes = new Set(
    (await collect(readFlights(20_000))).flatMap(({ origin, destination }) => [origin, destination]),
  );
  expect([...codes].filter((code) => airports.get(code) === undefined)).toEqual([]);
  expect(airports.get("ORD")).toMatchObject({ city: "Chicago", state: "IL" });
});

it("CSV: quotes, commas and line breaks inside fields, empty fields, both kinds of line end", () => {
  expect(parseCsv('a,b\r\n"x, y","say ""hi"""\n,\n"two\nlines",end')).toEqual([
    ["a", "b"],
    ["x, y", 'say "hi"'],
    ["", ""],
    ["two\nlines", "end"],
  ]);
});
