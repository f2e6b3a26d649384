// The map itself: a chunk of its own, loaded when there is something to show and time for it.
//
// Natural Earth at 1 : 50 million, drawn here; no tile, glyph or sprite is asked of anybody.

import {
  Map as Chart,
  setWorkerUrl,
  type GeoJSONSource,
  type StyleSpecification,
} from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import { feature, mesh } from "topojson-client";
import type { GeometryCollection, Topology } from "topojson-specification";
import worldUrl from "world-atlas/countries-50m.json?url";
import { STATUSES, type Status } from "../ui/status";
import { unwrap } from "./unwrap";

/** A place of a record. */
export interface Point {
  id: string;
  lat: number;
  lon: number;
  /** Its status; a symbol or a plain mark for what has none. */
  status: Status | null;
  sidc?: string | null;
}

/** What is drawn as lines and areas. */
export interface Outline {
  id: string;
  /** A closed one is filled. */
  closed: boolean;
  at: readonly (readonly [number, number])[];
}

export interface Hands {
  /** A point or outline was pressed. */
  choose(id: string): void;
  /** The pointer is somewhere; null when it left. */
  hover?(lat: number, lon: number): void;
  /** The map itself was pressed. */
  press?(lat: number, lon: number): void;
}

export interface Drawing {
  show(points: readonly Point[], chosen: string | null): void;
  /** Draws lines and areas. */
  outline(outlines: readonly Outline[]): void;
  /** Draws the path that is being measured or drawn. */
  path(at: readonly (readonly [number, number])[], closed: boolean): void;
  /** Shows or hides the zones of the grid. */
  grid(on: boolean): void;
  /** While it is on, pressing the map is told to `press` and chooses nothing. */
  aim(on: boolean): void;
  go(lat: number, lon: number): void;
  zoom(by: number): void;
  fit(): void;
  end(): void;
}

setWorkerUrl(workerUrl);

const SHAPES: Record<Status, string> = {
  critical: "M2.6 4h18.8L12 21.4z",
  serious: "M12 2 22 12 12 22 2 12z",
  caution: "M3.5 3.5h17v17h-17z",
  normal: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18",
  standby: "M12 4.5a7.5 7.5 0 1 0 0 15 7.5 7.5 0 0 0 0-15",
  off: "M5 20 19 4",
};

const css = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Draws the shape of a status twice as large as it is shown. */
function symbol(status: Status): ImageData {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 52;
  const to = canvas.getContext("2d")!;
  to.translate(2, 2);
  to.scale(2, 2);
  const path = new Path2D(SHAPES[status]);
  to.lineWidth = 3.4;
  to.strokeStyle = css("--page");
  to.stroke(path);
  if (status === "standby" || status === "off") {
    to.lineWidth = 2.4;
    to.strokeStyle = css(`--${status}-edge`);
    to.stroke(path);
  } else {
    to.fillStyle = css(`--${status}`);
    to.fill(path);
    to.lineWidth = 1.2;
    to.strokeStyle = css(`--${status}-edge`);
    to.stroke(path);
  }
  return to.getImageData(0, 0, 52, 52);
}

/** What bears no status: a plain mark. */
function plain(): ImageData {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 36;
  const to = canvas.getContext("2d")!;
  to.beginPath();
  to.arc(18, 18, 9, 0, 2 * Math.PI);
  to.fillStyle = css("--accent");
  to.lineWidth = 5;
  to.strokeStyle = css("--page");
  to.stroke();
  to.fill();
  return to.getImageData(0, 0, 36, 36);
}

const nameOf = ({ status, sidc }: Point): string => status ?? (sidc ? `sidc-${sidc}` : "plain");

/** The borders of the zones of the grid (NGA.STND.0037, 3-1), with those of the far north. */
function zones(): GeoJSON.Feature[] {
  const line = (coordinates: number[][]): GeoJSON.Feature => {
    return { type: "Feature", geometry: { type: "LineString", coordinates }, properties: {} };
  };
  const lines: GeoJSON.Feature[] = [];
  for (let lat = -80; lat <= 72; lat += 8) {
    lines.push(line(Array.from({ length: 61 }, (_p, n) => [-180 + n * 6, lat])));
  }
  lines.push(line(Array.from({ length: 61 }, (_p, n) => [-180 + n * 6, 84])));
  for (let lon = -180; lon <= 180; lon += 6) {
    // Norway's zone is wider at the cost of the North Sea's, and Svalbard has four of seven.
    const north = [6, 12, 18, 24, 30, 36].includes(lon) ? 72 : 84;
    if (lon === 6) {
      lines.push(
        line([
          [6, -80],
          [6, 56],
        ]),
        line([
          [3, 56],
          [3, 64],
        ]),
        line([
          [6, 64],
          [6, 72],
        ]),
      );
    } else
      lines.push(
        line([
          [lon, -80],
          [lon, north],
        ]),
      );
  }
  for (const lon of [9, 21, 33])
    lines.push(
      line([
        [lon, 72],
        [lon, 84],
      ]),
    );
  return lines;
}

const NONE = { type: "FeatureCollection" as const, features: [] };

interface World {
  land: GeoJSON.GeoJSON;
  coast: GeoJSON.GeoJSON;
  borders: GeoJSON.GeoJSON;
}

async function world(): Promise<World> {
  const answer = await fetch(worldUrl);
  const topology = (await answer.json()) as Topology<{
    countries: GeometryCollection;
    land: GeometryCollection;
  }>;
  const { countries, land } = topology.objects;
  const whole = feature(topology, land);
  const features = whole.features.map(one => ({ ...one, geometry: unwrap(one.geometry) }));
  return {
    land: { ...whole, features },
    coast: unwrap(mesh(topology, land)),
    borders: unwrap(mesh(topology, countries, (a, b) => a !== b)),
  };
}

function style({ land, coast, borders }: World): StyleSpecification {
  return {
    version: 8,
    sources: {
      land: { type: "geojson", data: land, tolerance: 0.3 },
      coast: { type: "geojson", data: coast, tolerance: 0.3 },
      borders: { type: "geojson", data: borders, tolerance: 0.3 },
      points: { type: "geojson", data: NONE },
      outlines: { type: "geojson", data: NONE },
      path: { type: "geojson", data: NONE },
      grid: { type: "geojson", data: NONE },
    },
    layers: [
      { id: "sea", type: "background", paint: { "background-color": css("--page") } },
      { id: "land", type: "fill", source: "land", paint: { "fill-color": css("--raised") } },
      {
        id: "coast",
        type: "line",
        source: "coast",
        paint: { "line-color": css("--edge"), "line-width": 0.7, "line-opacity": 0.7 },
      },
      {
        id: "borders",
        type: "line",
        source: "borders",
        paint: { "line-color": css("--edge"), "line-width": 0.6, "line-dasharray": [3, 2] },
      },
      {
        id: "grid",
        type: "line",
        source: "grid",
        paint: { "line-color": css("--dim"), "line-width": 0.5, "line-opacity": 0.6 },
      },
      {
        id: "areas",
        type: "fill",
        source: "outlines",
        filter: ["==", ["geometry-type"], "Polygon"],
        paint: { "fill-color": css("--accent"), "fill-opacity": 0.14 },
      },
      {
        id: "outlines",
        type: "line",
        source: "outlines",
        paint: {
          "line-color": css("--accent"),
          "line-width": ["case", ["get", "chosen"], 3.5, 1.8],
        },
      },
      {
        id: "path",
        type: "line",
        source: "path",
        paint: { "line-color": css("--text"), "line-width": 2, "line-dasharray": [2, 1.5] },
      },
      {
        id: "corners",
        type: "circle",
        source: "path",
        filter: ["==", ["geometry-type"], "Point"],
        paint: {
          "circle-radius": 4,
          "circle-color": css("--page"),
          "circle-stroke-color": css("--text"),
          "circle-stroke-width": 2,
        },
      },
      {
        id: "chosen",
        type: "circle",
        source: "points",
        filter: ["==", ["get", "chosen"], true],
        paint: {
          "circle-radius": 19,
          "circle-color": "rgba(0,0,0,0)",
          "circle-stroke-color": css("--accent"),
          "circle-stroke-width": 2,
        },
      },
      {
        id: "points",
        type: "symbol",
        source: "points",
        layout: {
          "icon-image": ["get", "image"],
          "icon-allow-overlap": true,
          "icon-ignore-placement": true,
          "symbol-sort-key": ["get", "order"],
        },
      },
    ],
  };
}

type Lonlat = readonly [number, number];

function outlineOf({ id, closed, at }: Outline, chosen: boolean): GeoJSON.Feature {
  const line = at.map(([lon, lat]) => [lon, lat]);
  const properties = { id, chosen };
  return closed
    ? {
        type: "Feature",
        geometry: { type: "Polygon", coordinates: [[...line, line[0]!]] },
        properties,
      }
    : { type: "Feature", geometry: { type: "LineString", coordinates: line }, properties };
}

/** Draws the map into an element, and tells what is pressed on it. */
export async function draw(into: HTMLElement, hands: Hands): Promise<Drawing> {
  const drawn = await world();
  const chart = new Chart({
    container: into,
    style: style(drawn),
    center: [22, 60],
    zoom: 3.2,
    maxZoom: 14,
    attributionControl: false,
    dragRotate: false,
    pitchWithRotate: false,
    renderWorldCopies: false,
    fadeDuration: 0,
  });
  chart.touchZoomRotate.disableRotation();
  // The list is the way for keys; the canvas is a picture beside it.
  chart.keyboard.disable();
  const canvas = chart.getCanvas();
  canvas.tabIndex = -1;
  canvas.setAttribute("aria-hidden", "true");
  canvas.removeAttribute("role");

  let points: readonly Point[] = [];
  let chosen: string | null = null;
  let outlines: readonly Outline[] = [];
  let path: { at: readonly Lonlat[]; closed: boolean } = { at: [], closed: false };
  let gridded = false;
  let aiming = false;
  let fitted = false;

  const image = (name: string, drawn: ImageData): void => {
    if (chart.hasImage(name)) chart.removeImage(name);
    chart.addImage(name, drawn, { pixelRatio: 2 });
  };
  const images = (): void => {
    for (const status of STATUSES) image(status, symbol(status));
    image("plain", plain());
    made.clear();
    void symbols();
  };
  /** Symbols that were drawn for this style. */
  const made = new Set<string>();
  const symbols = async (): Promise<void> => {
    const wanted = new Set(points.flatMap(({ status, sidc }) => (!status && sidc ? [sidc] : [])));
    if ([...wanted].every(sidc => made.has(sidc))) return;
    const { default: ms } = await import("milsymbol");
    for (const sidc of wanted) {
      if (made.has(sidc)) continue;
      made.add(sidc);
      const canvas = new ms.Symbol(sidc, { size: 22 }).asCanvas(2);
      const to = canvas.getContext("2d");
      const { width, height } = canvas;
      if (to) image(`sidc-${sidc}`, to.getImageData(0, 0, width, height));
    }
  };
  const set = (source: string, features: GeoJSON.Feature[]): void => {
    const data = { type: "FeatureCollection" as const, features };
    void chart.getSource<GeoJSONSource>(source)?.setData(data);
  };
  const redraw = (): void => {
    set(
      "outlines",
      outlines.map(one => outlineOf(one, one.id === chosen)),
    );
    const corners = path.at.map(([lon, lat]): GeoJSON.Feature => {
      const geometry = { type: "Point" as const, coordinates: [lon, lat] };
      return { type: "Feature", geometry, properties: {} };
    });
    const line = path.at.length > 1 ? [outlineOf({ id: "", ...path }, false)] : [];
    set("path", [...line, ...corners]);
    set("grid", gridded ? zones() : []);
  };
  const paint = (): void => {
    const source = chart.getSource<GeoJSONSource>("points");
    if (!source) return;
    source.setData({
      type: "FeatureCollection",
      features: points.map(point => ({
        type: "Feature",
        geometry: { type: "Point", coordinates: [point.lon, point.lat] },
        properties: {
          id: point.id,
          image: nameOf(point),
          chosen: point.id === chosen,
          order: point.status ? STATUSES.length - STATUSES.indexOf(point.status) : 0,
        },
      })),
    });
    void symbols();
  };
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const fit = (): void => {
    const of = points.filter(point => chosen === null || point.id === chosen);
    const all = of.length > 0 ? of : points;
    if (all.length === 0) return;
    const [lons, lats] = [all.map(p => p.lon), all.map(p => p.lat)];
    chart.fitBounds(
      [
        [Math.min(...lons), Math.min(...lats)],
        [Math.max(...lons), Math.max(...lats)],
      ],
      { padding: 48, maxZoom: 9, animate: fitted && !still.matches, duration: 300 },
    );
    fitted = true;
  };

  // The colours are those of the page's theme, whoever changes it.
  const themes = new MutationObserver(() => void chart.setStyle(style(drawn), { diff: false }));
  themes.observe(document.documentElement, { attributeFilter: ["data-theme"] });

  chart.on("style.load", () => {
    images();
    paint();
    redraw();
  });
  const pressable = ["points", "outlines", "areas"];
  chart.on("click", event => {
    if (aiming) {
      hands.press?.(event.lngLat.lat, event.lngLat.lng);
      return;
    }
    const under = chart.queryRenderedFeatures(event.point, { layers: pressable });
    const id: unknown = under[0]?.properties["id"];
    if (typeof id === "string") hands.choose(id);
  });
  chart.on("mousemove", event => hands.hover?.(event.lngLat.lat, event.lngLat.lng));
  for (const layer of pressable) {
    chart.on("mouseenter", layer, () => (canvas.style.cursor = aiming ? "crosshair" : "pointer"));
    chart.on("mouseleave", layer, () => (canvas.style.cursor = aiming ? "crosshair" : ""));
  }

  return {
    show(next, of) {
      const first = points.length === 0 && next.length > 0;
      const other = of !== chosen;
      [points, chosen] = [next, of];
      paint();
      if (other) redraw();
      if (first || other) fit();
    },
    outline(next) {
      outlines = next;
      redraw();
    },
    path(at, closed) {
      path = { at, closed };
      redraw();
    },
    grid(on) {
      gridded = on;
      redraw();
    },
    aim(on) {
      aiming = on;
      canvas.style.cursor = on ? "crosshair" : "";
      if (on) chart.doubleClickZoom.disable();
      else chart.doubleClickZoom.enable();
    },
    go(lat, lon) {
      const zoom = Math.max(chart.getZoom(), 7);
      chart.easeTo({ center: [lon, lat], zoom, animate: !still.matches, duration: 300 });
    },
    zoom: by => void chart.zoomTo(chart.getZoom() + by, { animate: !still.matches }),
    fit,
    end() {
      themes.disconnect();
      chart.remove();
    },
  };
}
