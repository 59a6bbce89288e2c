// The upload form with a drop zone and a progress bar. Without this script it is a plain form to the same address.
"use strict";

const form = document.getElementById("upload");
const file = document.getElementById("file");
const drop = document.getElementById("drop");
const progress = document.getElementById("progress");
const bar = document.getElementById("bar");
const said = document.getElementById("said");
const spoken = document.getElementById("spoken");
const failed = document.getElementById("failed");
const submit = form.querySelector("button:not([type])");

drop.querySelector(".scripted").hidden = false;

// A file dropped beside the zone would otherwise replace the page.
for (const kind of ["dragover", "drop"]) window.addEventListener(kind, (event) => event.preventDefault());

drop.addEventListener("dragover", () => drop.classList.add("over"));
for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => {
  const files = event.dataTransfer.files;
  if (files.length > 1) fail("Drop one file at a time.");
  if (files.length !== 1) return;
  file.files = files;
  file.dispatchEvent(new Event("change"));
});

file.addEventListener("change", () => {
  const tooLarge = file.files[0] && file.files[0].size > Number(form.dataset.most);
  file.setCustomValidity(tooLarge ? "This file is larger than what is taken here." : "");
  failed.hidden = true;
});

form.addEventListener("submit", (event) => {
  event.preventDefault();
  send();
});

function send() {
  const request = new XMLHttpRequest();
  const cancel = document.getElementById("cancel");
  request.open("POST", form.action);
  request.upload.addEventListener("progress", (event) => show(event.loaded, event.total));
  request.addEventListener("load", () => answered(request));
  request.addEventListener("error", () => fail("The connection broke off before the whole file had arrived. Nothing was kept of it: send it again."));
  request.addEventListener("abort", () => fail("Cancelled. Nothing was kept of the file."));
  cancel.onclick = () => request.abort();
  failed.hidden = true;
  busy(true);
  show(0, file.files[0].size);
  request.send(new FormData(form));
  cancel.focus();
}

function show(sent, total) {
  const percent = total ? Math.floor((100 * sent) / total) : 100;
  bar.value = percent;
  said.textContent = sent < total ? `Sending: ${percent} %` : "Sent; it is being stored…";
  // Each tenth is read out, not each of the hundred.
  const tenth = `${percent - (percent % 10)} % sent`;
  if (spoken.textContent !== tenth) spoken.textContent = tenth;
}

function answered(request) {
  const path = new URL(request.responseURL).pathname;
  if (path.startsWith("/uploads/")) return location.assign(path);
  if (path === "/login") return location.assign("/login?next=/");
  const page = new DOMParser().parseFromString(request.responseText, "text/html");
  const reason = page.querySelector("[role=alert]") || page.querySelector("main p");
  fail(reason ? reason.textContent : "The server gave an answer that this page does not know. Try again.");
}

function fail(reason) {
  busy(false);
  submit.focus();
  spoken.textContent = "";
  failed.textContent = reason;
  failed.hidden = false;
}

function busy(isBusy) {
  progress.hidden = !isBusy;
  submit.hidden = isBusy;
}

// Back from the results: the browser may show this page as it was left, in the middle of sending.
window.addEventListener("pageshow", () => busy(false));
