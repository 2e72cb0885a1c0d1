/* The one script of the engine's pages: zoom of pictures, copying, choosing all, and what htmx needs
   to know about pages that look again by themselves. Every page works without it. */
"use strict";

(() => {
  const STEP = 1.25, LEAST = 0.1, MOST = 4;

  /* ---- pictures: buttons and the keys + - 0 change the size of the drawing in a frame */
  const sizes = {};

  function zoom(frame, factor) {
    const drawing = frame.querySelector("svg");
    if (!drawing) return;
    const width = Number(drawing.getAttribute("width")), height = Number(drawing.getAttribute("height"));
    const fits = Math.max(LEAST, Math.min(1, (frame.clientWidth - 16) / width, (frame.clientHeight - 16) / height));
    const now = sizes[frame.id] || 1;
    const size = factor === "fit" ? fits : factor === "same" ? now : Math.min(MOST, Math.max(LEAST, now * factor));
    sizes[frame.id] = size;
    drawing.style.width = `${width * size}px`;
    drawing.style.height = `${height * size}px`;
  }

  /* a tall drawing begins and ends in the middle of its height */
  document.querySelectorAll("#tk-graph, #tk-picture").forEach((frame) => {
    frame.scrollTop = (frame.scrollHeight - frame.clientHeight) / 2;
  });

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-zoom]");
    if (button) {
      const way = { in: STEP, out: 1 / STEP, fit: "fit" }[button.dataset.zoom];
      zoom(document.getElementById(button.getAttribute("aria-controls")), way);
    }
    const copied = event.target.closest("[data-copy]");
    if (copied && navigator.clipboard) {
      navigator.clipboard.writeText(copied.dataset.copy).then(() => {
        copied.dataset.said ??= copied.textContent;
        copied.textContent = "Copied";
        setTimeout(() => { copied.textContent = copied.dataset.said; }, 1500);
      });
    }
  });

  document.addEventListener("keydown", (event) => {
    const frame = event.target.closest?.(".tk-graph");
    const way = { "+": STEP, "=": STEP, "-": 1 / STEP, 0: "fit" }[event.key];
    if (frame && way && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      zoom(frame, way);
    }
  });

  document.addEventListener("change", (event) => {
    if (!event.target.matches("[data-choose-all]")) return;
    const boxes = event.target.closest("form").querySelectorAll("input[type=checkbox][name]");
    boxes.forEach((box) => { box.checked = event.target.checked; });
  });

  /* ---- due times count down between two looks */
  const countDown = () => {
    document.querySelectorAll("[data-due]").forEach((each) => {
      const left = Math.round((Date.parse(each.dataset.due) - Date.now()) / 1000);
      each.textContent = left > 0 ? `in ${left} s` : "due";
    });
  };
  countDown();
  setInterval(countDown, 1000);

  /* ---- live parts: ask only for news, rest in hidden tabs, keep what the reader opened or scrolled */
  let kept = null;

  const partOf = (event) => event.target.closest?.("[data-live]");

  document.addEventListener("htmx:configRequest", (event) => {
    const part = partOf(event);
    if (part?.dataset.etag) event.detail.headers["If-None-Match"] = part.dataset.etag;
  });

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (partOf(event) && document.hidden) event.preventDefault();
  });

  document.addEventListener("htmx:beforeSwap", (event) => {
    const part = partOf(event);
    if (!part) return;
    say(part, "");
    if (event.detail.xhr.status === 304) { event.detail.shouldSwap = false; return; }
    kept = {
      focus: document.activeElement?.getAttribute?.("data-key") || null,
      open: [...part.querySelectorAll("details[id][open]")].map((each) => each.id),
      scrolled: [...part.querySelectorAll(".tk-scroll[id], .tk-graph[id]")].map((each) => [each.id, each.scrollLeft, each.scrollTop]),
    };
  });

  document.addEventListener("htmx:afterSwap", () => {
    if (!kept) return;
    kept.open.forEach((id) => document.getElementById(id)?.setAttribute("open", ""));
    document.querySelectorAll(".tk-graph[id]").forEach((frame) => { if (sizes[frame.id]) zoom(frame, "same"); });
    kept.scrolled.forEach(([id, left, top]) => document.getElementById(id)?.scrollTo({ left, top, behavior: "instant" }));
    if (kept.focus) document.querySelector(`[data-key="${CSS.escape(kept.focus)}"]`)?.focus({ preventScroll: true });
    kept = null;
    countDown();
  });

  function lost(event) {
    const part = partOf(event);
    if (part) say(part, `connection lost, last seen ${part.dataset.seen}`);
  }

  function say(part, words) {
    const place = part.querySelector("[data-connection]");
    if (place) place.textContent = words;
  }

  document.addEventListener("htmx:sendError", lost);
  document.addEventListener("htmx:responseError", lost);
})();
