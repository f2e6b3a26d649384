// Places the entities of a net, away from the thread that draws.

import Graph from "graphology";
import forceAtlas2 from "graphology-layout-forceatlas2";
import type { Placed, ToPlace } from "./layout";

/** LIMIT: rounds of one layout; a net of 150 takes some tens of milliseconds. */
const ROUNDS = 240;

onmessage = (message: MessageEvent<ToPlace>) => {
  const { turn, nodes, edges } = message.data;
  const graph = new Graph({ multi: true });
  for (const { id, x, y, size } of nodes) graph.addNode(id, { x, y, size });
  for (const [source, target] of edges) graph.addEdge(source, target);
  const places =
    nodes.length < 2
      ? Object.fromEntries(nodes.map(({ id, x, y }) => [id, { x, y }]))
      : forceAtlas2(graph, {
          iterations: ROUNDS,
          settings: {
            ...forceAtlas2.inferSettings(graph),
            adjustSizes: true,
            gravity: nodes.length > 40 ? 0.6 : 1.4,
            scalingRatio: nodes.length > 40 ? 40 : 26,
            slowDown: 4,
          },
        });
  postMessage({ turn, places: places as Placed["places"] } satisfies Placed);
};
