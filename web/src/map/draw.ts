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
  status: Status;
}

export interface Drawing {
  show(points: readonly Point[], chosen: string | null): void;
  recolour(): void;
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
          "icon-image": ["get", "status"],
          "icon-allow-overlap": true,
          "icon-ignore-placement": true,
          "symbol-sort-key": ["get", "order"],
        },
      },
    ],
  };
}

/** Draws the map into an element; `choose` is told the id of a point that was pressed. */
export async function draw(into: HTMLElement, choose: (id: string) => void): Promise<Drawing> {
  const drawn = await world();
  const chart = new Chart({
    container: into,
    style: style(drawn),
    center: [22, 60],
    zoom: 3.2,
    maxZoom: 9,
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
  let fitted = false;

  const images = (): void => {
    for (const status of STATUSES) {
      if (chart.hasImage(status)) chart.removeImage(status);
      chart.addImage(status, symbol(status), { pixelRatio: 2 });
    }
  };
  const paint = (): void => {
    const source = chart.getSource<GeoJSONSource>("points");
    if (!source) return;
    source.setData({
      type: "FeatureCollection",
      features: points.map(({ id, lat, lon, status }) => ({
        type: "Feature",
        geometry: { type: "Point", coordinates: [lon, lat] },
        properties: {
          id,
          status,
          chosen: id === chosen,
          order: STATUSES.length - STATUSES.indexOf(status),
        },
      })),
    });
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
      { padding: 48, maxZoom: 6, animate: fitted && !still.matches, duration: 300 },
    );
    fitted = true;
  };

  chart.on("style.load", () => {
    images();
    paint();
  });
  chart.on("click", "points", event => {
    const id: unknown = event.features?.[0]?.properties["id"];
    if (typeof id === "string") choose(id);
  });
  chart.on("mouseenter", "points", () => (canvas.style.cursor = "pointer"));
  chart.on("mouseleave", "points", () => (canvas.style.cursor = ""));

  return {
    show(next, of) {
      const first = points.length === 0 && next.length > 0;
      const other = of !== chosen;
      [points, chosen] = [next, of];
      paint();
      if (first || other) fit();
    },
    recolour() {
      chart.setStyle(style(drawn), { diff: false });
    },
    zoom: by => void chart.zoomTo(chart.getZoom() + by, { animate: !still.matches }),
    fit,
    end: () => chart.remove(),
  };
}
