// The net on a canvas. It draws what it is given, and tells where somebody points.

import Graph from "graphology";
import Sigma from "sigma";
import type { NodeDisplayData, PartialButFor } from "sigma/types";
import { EdgeArrowProgram } from "sigma/rendering";
import { animateNodes } from "sigma/utils";
import { FAMILIES, tokenOf, type Family } from "./look";
import type { Place } from "./places";
import { ShapeProgram } from "./shape";

export interface PictureNode {
  id: string;
  text: string;
  family: Family;
  size: number;
  /** Whether its relationships were asked for. */
  open: boolean;
}

export interface PictureEdge {
  id: string;
  source: string;
  target: string;
  text: string;
}

export interface Chosen {
  node: string | null;
  edge: string | null;
  /** What stands out: a path. */
  path: ReadonlySet<string>;
}

export interface Hands {
  node(id: string): void;
  edge(id: string): void;
  nothing(): void;
  open(id: string): void;
}

interface Colours {
  text: string;
  dim: string;
  line: string;
  edge: string;
  accent: string;
  page: string;
  panel: string;
  families: Record<Family, string>;
}

/** How long things take to move to where they belong. */
const MOVE_MS = 350;
/** Edges up to which the kind of each is written on it. */
const WRITTEN_MAX = 60;
/** Entities up to which each has its name beside it. */
const CALM_MAX = 40;

function coloursNow(): Colours {
  const style = getComputedStyle(document.documentElement);
  const of = (token: string): string => style.getPropertyValue(token).trim();
  return {
    text: of("--text"),
    dim: of("--dim"),
    line: of("--line"),
    edge: of("--edge"),
    accent: of("--accent"),
    page: of("--page"),
    panel: of("--panel"),
    families: Object.fromEntries(FAMILIES.map(family => [family, of(tokenOf(family))])) as Record<
      Family,
      string
    >,
  };
}

type NodeData = PartialButFor<NodeDisplayData, "x" | "y" | "size" | "label" | "color"> & {
  open?: boolean;
  /** Whether it stands back behind what is chosen. */
  far?: boolean;
};

export class Picture {
  readonly #graph = new Graph({ multi: true, type: "directed" });
  readonly #sigma: Sigma;
  #colours = coloursNow();
  #chosen: Chosen = { node: null, edge: null, path: new Set() };
  #stop: (() => void) | null = null;

  constructor(container: HTMLElement, hands: Hands) {
    const font = getComputedStyle(document.body).fontFamily;
    this.#sigma = new Sigma(this.#graph, container, {
      nodeProgramClasses: { shape: ShapeProgram },
      edgeProgramClasses: { arrow: EdgeArrowProgram },
      defaultNodeType: "shape",
      defaultEdgeType: "arrow",
      labelFont: font,
      edgeLabelFont: font,
      labelSize: 12,
      edgeLabelSize: 11,
      labelRenderedSizeThreshold: 7,
      labelDensity: 1.2,
      labelGridCellSize: 70,
      enableEdgeEvents: true,
      zIndex: true,
      minCameraRatio: 0.1,
      maxCameraRatio: 4,
      stagePadding: 50,
      allowInvalidContainer: true,
      defaultDrawNodeLabel: (context, data) => this.#label(context, data as NodeData),
      defaultDrawNodeHover: (context, data) => this.#hover(context, data as NodeData),
      nodeReducer: (id, data) => this.#node(id, data),
      edgeReducer: (id, data) => this.#edge(id, data),
    });
    this.#sigma.on("clickNode", ({ node }) => hands.node(node));
    this.#sigma.on("clickEdge", ({ edge }) => hands.edge(edge));
    this.#sigma.on("clickStage", () => hands.nothing());
    this.#sigma.on("doubleClickNode", ({ node, preventSigmaDefault }) => {
      preventSigmaDefault();
      hands.open(node);
    });
    this.recolour();
  }

  /** Takes what is to be drawn; what stays, stays where it is. */
  draw(
    nodes: readonly PictureNode[],
    edges: readonly PictureEdge[],
    places: ReadonlyMap<string, Place>,
  ): void {
    const graph = this.#graph;
    // What goes would still be moved; another layout follows.
    if (nodes.length < graph.order || nodes.some(({ id }) => !graph.hasNode(id))) this.#stop?.();
    const [ids, edgeIds] = [new Set(nodes.map(n => n.id)), new Set(edges.map(e => e.id))];
    for (const id of graph.edges()) if (!edgeIds.has(id)) graph.dropEdge(id);
    for (const id of graph.nodes()) if (!ids.has(id)) graph.dropNode(id);
    for (const { id, text, family, size, open } of nodes) {
      const place = graph.hasNode(id) ? {} : (places.get(id) ?? { x: 0, y: 0 });
      graph.mergeNode(id, { label: text, family, size, open, ...place });
    }
    for (const { id, source, target, text } of edges) {
      if (graph.hasEdge(id)) graph.mergeEdgeAttributes(id, { label: text });
      else graph.addEdgeWithKey(id, source, target, { label: text, size: 2 });
    }
    // The more there is, the fewer words: coming closer shows the others.
    const crowded = nodes.length > CALM_MAX;
    this.#sigma.setSettings({
      renderEdgeLabels: edges.length <= WRITTEN_MAX,
      labelDensity: crowded ? 0.6 : 1.2,
      labelGridCellSize: crowded ? 150 : 70,
      labelRenderedSizeThreshold: crowded ? 4 : 7,
    });
  }

  /** Moves everything to where it belongs; at once for whoever wants no motion. */
  move(places: ReadonlyMap<string, Place>): void {
    this.#stop?.();
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const targets = Object.fromEntries(
      [...places].filter(([id]) => this.#graph.hasNode(id)).map(([id, { x, y }]) => [id, { x, y }]),
    );
    if (still) {
      for (const [id, place] of Object.entries(targets)) {
        this.#graph.mergeNodeAttributes(id, place);
      }
      return;
    }
    this.#stop = animateNodes(this.#graph, targets, { duration: MOVE_MS });
  }

  choose(chosen: Chosen): void {
    this.#chosen = chosen;
    this.#sigma.refresh({ skipIndexation: true });
  }

  /** Takes the colours of the theme. */
  recolour(): void {
    this.#colours = coloursNow();
    this.#sigma.setSettings({
      labelColor: { color: this.#colours.text },
      edgeLabelColor: { color: this.#colours.dim },
    });
    this.#sigma.refresh();
  }

  zoom(by: number): void {
    const camera = this.#sigma.getCamera();
    camera.setState({ ratio: Math.max(0.1, Math.min(4, camera.ratio / by)) });
  }

  fit(): void {
    this.#sigma.getCamera().setState({ x: 0.5, y: 0.5, ratio: 1, angle: 0 });
  }

  /** Where each entity stands on the screen, for moving by arrows. */
  where(): Map<string, Place> {
    return new Map(
      this.#graph.mapNodes((id, { x, y }) => [
        id,
        this.#sigma.graphToViewport({ x: Number(x), y: Number(y) }),
      ]),
    );
  }

  resize(): void {
    this.#sigma.resize();
    this.#sigma.refresh();
  }

  end(): void {
    this.#stop?.();
    this.#sigma.kill();
  }

  #near(id: string): boolean {
    const { node, edge, path } = this.#chosen;
    if (path.size > 0) return path.has(id);
    if (edge !== null) return this.#graph.hasEdge(edge) && this.#graph.hasExtremity(edge, id);
    return node === null || id === node || this.#graph.areNeighbors(id, node);
  }

  #node(id: string, data: Record<string, unknown>): Partial<NodeDisplayData> {
    const family = data["family"] as Family;
    const near = this.#near(id);
    return {
      ...data,
      color: near ? this.#colours.families[family] : this.#colours.edge,
      forceLabel: this.#graph.order <= CALM_MAX,
      highlighted: id === this.#chosen.node,
      zIndex: near ? 1 : 0,
      far: !near,
    } as Partial<NodeDisplayData>;
  }

  #edge(id: string, data: Record<string, unknown>): Record<string, unknown> {
    const { node, edge, path } = this.#chosen;
    const ends = this.#graph.extremities(id);
    const out =
      path.size > 0
        ? path.has(id)
        : edge !== null
          ? id === edge
          : node === null || ends.includes(node);
    const strong = path.has(id) || id === edge;
    return {
      ...data,
      color: strong ? this.#colours.accent : out ? this.#colours.edge : this.#colours.line,
      size: strong ? 4 : out ? 2.4 : 2,
      zIndex: out ? 1 : 0,
      ...(out ? {} : { label: null }),
    };
  }

  #label(context: CanvasRenderingContext2D, data: NodeData): void {
    if (!data.label) return;
    const shown = data.label.length > 34 ? `${data.label.slice(0, 33)}…` : data.label;
    context.font = `500 12px ${getComputedStyle(document.body).fontFamily}`;
    const [x, y] = [data.x, data.y + data.size + 13];
    context.textAlign = "center";
    context.lineJoin = "round";
    context.lineWidth = 3;
    context.strokeStyle = this.#colours.page;
    context.strokeText(shown, x, y);
    context.fillStyle = data.far ? this.#colours.dim : this.#colours.text;
    context.fillText(shown, x, y);
    context.textAlign = "start";
    if (data.open !== true) this.#more(context, data);
  }

  /** A dot at the shoulder: there may be more behind it. */
  #more(context: CanvasRenderingContext2D, { x, y, size }: NodeData): void {
    const [cx, cy] = [x + size * 0.8, y - size * 0.8];
    context.beginPath();
    context.arc(cx, cy, 5, 0, 2 * Math.PI);
    context.fillStyle = this.#colours.panel;
    context.fill();
    context.lineWidth = 1;
    context.strokeStyle = this.#colours.edge;
    context.stroke();
    context.beginPath();
    context.moveTo(cx - 2.5, cy);
    context.lineTo(cx + 2.5, cy);
    context.moveTo(cx, cy - 2.5);
    context.lineTo(cx, cy + 2.5);
    context.strokeStyle = this.#colours.text;
    context.stroke();
  }

  #hover(context: CanvasRenderingContext2D, data: NodeData): void {
    context.beginPath();
    context.arc(data.x, data.y, data.size + 5, 0, 2 * Math.PI);
    context.lineWidth = 2;
    context.strokeStyle = this.#colours.accent;
    context.stroke();
    this.#label(context, data);
  }
}
