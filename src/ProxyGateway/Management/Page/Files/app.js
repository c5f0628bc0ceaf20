import { askKey, askWhy, wireActions } from "./actions.js";
import { addSample, createCharts, refreshCharts, replaceSamples, summary } from "./charts.js";
import { notClosed, renderClusters } from "./clusters.js";
import { renderConfiguration, wireConfiguration } from "./configuration.js";
import { byId, setClass, setPill, setText } from "./dom.js";
import { listen, request } from "./feed.js";
import { count, duration, rate, words } from "./format.js";
import { renderChanges, renderRecoveries, renderStreams, wireTables } from "./tables.js";

const kept = 200;

let latest = null;
let recoveries = [];
let changes = [];
let isPaused = false;
let seen = false;

function draw() {
  if (!latest || isPaused) return;
  setPill(byId("ready"), latest.ready ? "ready" : "draining", latest.ready ? "good" : "wait");
  setText(byId("about"), `version ${latest.version}, up ${duration(latest.uptimeMs)}`);
  drawFigures();
  renderClusters(latest.clusters, askWhy);
  renderStreams(latest);
  renderRecoveries(recoveries, seen);
  renderChanges(changes, seen);
  renderConfiguration(latest.configuration);
  refreshCharts();
  seen = true;
}

function drawFigures() {
  const figures = summary();
  setText(byId("figure-active"), count(latest.active));
  const open = notClosed(latest.clusters);
  setText(byId("figure-circuits"), count(open));
  setClass(byId("figure-circuits"), open > 0 ? "alarm" : "");
  if (!figures) return;
  const lost = figures.ended.terminated + figures.ended.failed;
  setText(byId("figure-rate"), rate(figures.perSecond));
  setText(byId("figure-recovered"), count(figures.ended.recovered));
  setClass(byId("figure-recovered"), figures.ended.recovered > 0 ? "note" : "");
  setText(byId("figure-lost"), count(lost));
  setClass(byId("figure-lost"), lost > 0 ? "alarm" : "");
  setText(byId("figure-rejected"), count(figures.ended.rejected));
}

// What is new, told politely and not more often than anybody can listen.
const untold = [];
let telling = null;

function announce(text) {
  untold.push(text);
  telling ??= setTimeout(() => {
    telling = null;
    const texts = untold.splice(0);
    setText(byId("announcer"), texts.length <= 3 ? texts.join(". ") : `${texts.at(-1)}, and ${texts.length - 1} more events`);
  }, 3000);
}

function add(list, record) {
  return [record, ...list.filter((r) => r.number !== record.number)].slice(0, kept);
}

const handlers = {
  status(document) {
    if (document.recoveries) recoveries = document.recoveries;
    if (document.circuitChanges) changes = document.circuitChanges;
    latest = document;
    addSample(document);
    draw();
  },
  recovery(record) {
    recoveries = add(recoveries, record);
    announce(`${words(record.outcome)}: ${words(record.fault)} at cluster ${record.cluster}`);
    draw();
  },
  circuit(record) {
    changes = add(changes, record);
    announce(`The ${record.circuit} circuit of ${record.cluster} is ${words(record.to)}`);
    draw();
  },
  async connected() {
    setConnection("live", "live");
    const response = await request("api/traffic");
    if (response.ok) replaceSamples(await response.json());
  },
  lost(why, wait) {
    setConnection("lost", `${why}, again in ${duration(wait)}`);
  },
  async refused(response) {
    setConnection("lost", "not allowed");
    await askKey(response);
  },
};

function setConnection(kind, text) {
  setClass(byId("connection"), `connection ${kind}`);
  setText(byId("connection"), text);
}

byId("pause").addEventListener("click", () => {
  isPaused = !isPaused;
  byId("pause").setAttribute("aria-pressed", String(isPaused));
  setText(byId("pause"), isPaused ? "Paused" : "Pause");
  draw();
});

wireActions();
wireConfiguration();
wireTables(draw);
createCharts();
listen(handlers);
