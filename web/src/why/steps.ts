// A decision as the chain that it is: label, circle, clause, role; each passed, failed or open.

import type { Obstacle, Told } from "./model";

export type StepName = "active" | "label" | "circle" | "clause" | "role";
/** `assumed`: asked for a reader who has it; `open`: not decided while an earlier step fails. */
export type Result = "passes" | "fails" | "assumed" | "needs" | "open" | "none";

export interface Step {
  name: StepName;
  result: Result;
  obstacles: Obstacle[];
}

const OF: Record<Obstacle["by"], StepName> = {
  inactive: "active",
  clearance: "label",
  circle: "circle",
  clause: "clause",
  forbidden: "clause",
  rules: "clause",
  role: "role",
};

/** The chain of one layer, for an agency or for a person. */
export function stepsOf(told: Told, subject: "agency" | "person", circle: string | null): Step[] {
  const of = (name: StepName): Obstacle[] => told.obstacles.filter(({ by }) => OF[by] === name);
  const step = (name: StepName, otherwise: Result): Step => {
    const obstacles = of(name);
    return { name, result: obstacles.length > 0 ? "fails" : otherwise, obstacles };
  };
  const decided = of("label").length + of("clause").length + of("active").length === 0;
  const needs = told.needs;
  const asks = needs !== null && needs.roles.length + needs.training.length > 0;
  const active = step("active", "passes");
  return [
    ...(active.result === "fails" ? [active] : []),
    step("label", subject === "agency" ? "assumed" : active.result === "fails" ? "open" : "passes"),
    step("circle", circle === null ? "none" : "passes"),
    step("clause", active.result === "fails" ? "open" : "passes"),
    step("role", !decided ? "open" : asks ? "needs" : "passes"),
  ];
}

/** What is reached of all layers together. */
export function verdictOf(layers: readonly Told[]): "all" | "some" | "none" {
  const reads = layers.filter(layer => layer.reads).length;
  return reads === 0 ? "none" : reads === layers.length ? "all" : "some";
}
