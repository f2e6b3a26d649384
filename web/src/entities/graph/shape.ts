// The shapes of entities on the canvas: one program for all, with the shape as an attribute.

import { NodeCircleProgram } from "sigma/rendering";
import type { NodeDisplayData } from "sigma/types";
import { floatColor } from "sigma/utils";
import { FAMILIES } from "./look";

const VERTEX = /* glsl */ `
attribute vec4 a_id;
attribute vec4 a_color;
attribute vec2 a_position;
attribute float a_size;
attribute float a_shape;
attribute float a_angle;
uniform mat3 u_matrix;
uniform float u_sizeRatio;
uniform float u_correctionRatio;
varying vec4 v_color;
varying vec2 v_from;
varying float v_radius;
varying float v_shape;
const float bias = 255.0 / 254.0;
void main() {
  float size = a_size * u_correctionRatio / u_sizeRatio * 4.0;
  v_from = size * vec2(cos(a_angle), sin(a_angle));
  gl_Position = vec4((u_matrix * vec3(a_position + v_from, 1)).xy, 0, 1);
  v_radius = size / 2.0;
  v_shape = a_shape;
  #ifdef PICKING_MODE
  v_color = a_id;
  #else
  v_color = a_color;
  #endif
  v_color.a *= bias;
}`;

/** Distances from the edge of each shape, in the order of \`FAMILIES\`. */
const FRAGMENT = /* glsl */ `
precision highp float;
varying vec4 v_color;
varying vec2 v_from;
varying float v_radius;
varying float v_shape;
uniform float u_correctionRatio;
float away(vec2 p) {
  vec2 q = abs(p);
  if (v_shape < 0.5) return length(p) - 0.9;
  if (v_shape < 1.5) return max(q.x, q.y) - 0.72;
  if (v_shape < 2.5) return (q.x + q.y - 1.0) * 0.7071;
  if (v_shape < 3.5) return max(q.x * 0.866 + p.y * 0.5, -p.y) - 0.5;
  if (v_shape < 4.5) return max(q.y, q.x * 0.866 + q.y * 0.5) - 0.82;
  return abs(length(p) - 0.62) - 0.28;
}
void main(void) {
  float soft = u_correctionRatio * 2.0 / v_radius;
  #ifdef PICKING_MODE
  gl_FragColor = length(v_from) > v_radius ? vec4(0.0) : v_color;
  #else
  gl_FragColor = mix(v_color, vec4(0.0), smoothstep(-soft, 0.0, away(v_from / v_radius)));
  #endif
}`;

const { FLOAT } = WebGLRenderingContext;

/** What an entity says of itself to the program. */
export interface Shaped {
  family: (typeof FAMILIES)[number];
}

export class ShapeProgram extends NodeCircleProgram {
  override getDefinition(): ReturnType<NodeCircleProgram["getDefinition"]> {
    const circle = super.getDefinition();
    return {
      ...circle,
      VERTEX_SHADER_SOURCE: VERTEX,
      FRAGMENT_SHADER_SOURCE: FRAGMENT,
      ATTRIBUTES: [...circle.ATTRIBUTES, { name: "a_shape", size: 1, type: FLOAT }],
    };
  }

  override processVisibleItem(node: number, start: number, data: NodeDisplayData): void {
    const of = data as NodeDisplayData & Partial<Shaped>;
    const shape = FAMILIES.indexOf(of.family ?? "other");
    this.array.set([data.x, data.y, data.size, floatColor(data.color), node, shape], start);
  }
}
