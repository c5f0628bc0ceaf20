import { clock, count, minute, rate } from "./format.js";
import { byId, element, setText } from "./dom.js";

const keptSeconds = 300;
const smoothing = 5; // seconds: single exchanges would make the rate jump
const bucket = 10; // seconds

let samples = []; // [time, active, { completed, recovered, … }], oldest first
let charts = [];

export function replaceSamples(document) {
  const names = document.columns.slice(2);
  samples = document.samples.map((s) => [s[0], s[1], Object.fromEntries(names.map((n, i) => [n, s[i + 2]]))]);
}

export function addSample(status) {
  const time = Math.round(Date.parse(status.time) / 1000);
  const last = samples.at(-1);
  if (last && time <= last[0]) return;
  const { clientGone, ...totals } = status.totals;
  samples.push([time, status.active, { ...totals, client_gone: clientGone }]);
  while (samples.length > keptSeconds + smoothing) samples.shift();
}

/** What ended in the minutes that are kept, by outcome, and how many a second of late. */
export function summary() {
  const first = samples[0];
  const last = samples.at(-1);
  if (!first) return null;
  const ended = {};
  for (const name of Object.keys(last[2])) ended[name] = last[2][name] - first[2][name];
  const before = samples[Math.max(0, samples.length - 11)];
  const perSecond = last[0] > before[0] ? (all(last[2]) - all(before[2])) / (last[0] - before[0]) : 0;
  return { ended, perSecond };
}

const all = (totals) => Object.values(totals).reduce((a, b) => a + b, 0);
const lost = (t) => t.terminated + t.failed;
const other = (t) => t.relayed + t.client_gone;

// Drawn from the top of the pile down, each over the one before.
const rateLayers = [
  ["rejected", "rejected", (t) => t.rejected],
  ["other", "passed on, client gone", other],
  ["lost", "terminated, failed", lost],
  ["recovered", "recovered", (t) => t.recovered],
  ["completed", "completed", (t) => t.completed],
];
const recoveryLayers = [
  ["lost", "terminated, failed", lost],
  ["recovered", "recovered", (t) => t.recovered],
];

function rateData() {
  const shown = samples.slice(-keptSeconds);
  const offset = samples.length - shown.length;
  const times = shown.map((s) => s[0]);
  const layers = rateLayers.map(([, , of]) => shown.map((s, i) => {
    const before = samples[Math.max(0, offset + i - smoothing)];
    const span = s[0] - before[0];
    return span > 0 ? Math.max(0, of(s[2]) - of(before[2])) / span : 0;
  }));
  return { times, layers };
}

function activeData() {
  const shown = samples.slice(-keptSeconds);
  return { times: shown.map((s) => s[0]), layers: [shown.map((s) => s[1])] };
}

function recoveryData() {
  const ends = new Map();
  for (const s of samples) ends.set(Math.floor(s[0] / bucket), s);
  const times = [];
  const layers = recoveryLayers.map(() => []);
  let before = samples[0];
  for (const [slot, s] of ends) {
    times.push(slot * bucket + bucket / 2);
    recoveryLayers.forEach(([, , of], i) => layers[i].push(Math.max(0, of(s[2]) - of(before[2]))));
    before = s;
  }
  return { times, layers };
}

/** Each layer on top of those after it. */
function piled(layers) {
  const piles = layers.map((l) => [...l]);
  for (let i = piles.length - 2; i >= 0; i--) piles[i] = piles[i].map((v, k) => v + piles[i + 1][k]);
  return piles;
}

class Chart {
  constructor(figure, { layers, data, write, bars, colors, minimum }) {
    Object.assign(this, { layers, data, write, bars, colors, minimum });
    this.plotNode = element("div", { class: "plot", "aria-hidden": "true" });
    this.values = layers.map(() => element("b"));
    const legend = element("ul", { class: "legend" }, ...layers.map(([name, label], i) => element(
      "li", {}, element("span", { class: `swatch ${name}` }), label, this.values[i])).reverse());
    figure.append(this.plotNode, legend);
    new ResizeObserver(() => this.plot?.setSize(this.size())).observe(this.plotNode);
  }

  size() {
    return { width: Math.max(120, this.plotNode.clientWidth), height: this.plotNode.clientHeight };
  }

  build() {
    this.plot?.destroy();
    const style = getComputedStyle(document.documentElement);
    const color = (name) => style.getPropertyValue(`--${name}`).trim();
    const font = `11px ${getComputedStyle(document.body).fontFamily}`;
    const grid = { stroke: color("line"), width: 1 };
    this.plot = new uPlot({
      ...this.size(),
      padding: [8, 6, 0, 0],
      legend: { show: false },
      cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
      scales: {
        x: { time: true, range: (_, min, max) => [Math.min(min, max - keptSeconds), max] },
        y: { range: (_, min, max) => [0, Math.max(this.minimum, max * 1.1)] },
      },
      axes: [
        { stroke: color("quiet"), font, grid: { show: false }, ticks: { show: false }, size: 22, space: 60, incrs: [60, 120, 300], values: (_, splits) => splits.map((s) => minute(s * 1000)) },
        { stroke: color("quiet"), font, grid, ticks: { show: false }, size: 34, space: 28, values: (_, splits) => splits.map((v) => (Number.isInteger(v) ? count(v) : v.toFixed(1))) },
      ],
      series: [{}, ...this.layers.map(([name]) => ({
        fill: color(this.colors?.fill ?? `chart-${name}`),
        stroke: color(`chart-${name}`),
        width: this.bars ? 0 : 1.5,
        points: { show: false },
        paths: this.bars ? uPlot.paths.bars({ size: [0.7, 22], align: 0 }) : undefined,
      }))],
      hooks: { setCursor: [() => this.tell()] },
    }, [[], ...this.layers.map(() => [])], this.plotNode);
    this.refresh();
  }

  refresh() {
    if (!this.plot || samples.length === 0) return;
    this.current = this.data();
    this.plot.setData([this.current.times, ...piled(this.current.layers)]);
    this.tell();
  }

  /** The legend says what is under the pointer, else what is newest. */
  tell() {
    if (!this.current) return;
    const under = this.plot?.cursor.idx;
    const at = under ?? this.current.times.length - 1;
    this.values.forEach((node, i) => setText(node, this.write(this.current.layers[i][at] ?? 0)));
    setText(this.time ??= this.plotNode.parentElement.querySelector("figcaption").appendChild(element("span", { class: "quiet" })),
      under == null ? "" : `  ${clock(this.current.times[under] * 1000)}`);
  }
}

export function createCharts() {
  charts = [
    new Chart(byId("chart-rate"), { layers: rateLayers, data: rateData, write: rate, minimum: 1 }),
    new Chart(byId("chart-active"), { layers: [["active", "in flight"]], data: activeData, write: count, colors: { fill: "chart-active-fill" }, minimum: 4 }),
    new Chart(byId("chart-recoveries"), { layers: recoveryLayers, data: recoveryData, write: count, bars: true, minimum: 4 }),
  ];
  const build = () => charts.forEach((c) => c.build());
  build();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", build);
}

export const refreshCharts = () => charts.forEach((c) => c.refresh());
