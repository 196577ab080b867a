"use strict";
// Draws the panels out of the JSON in #data. Whatever comes from the run is set as text, never as markup.
(() => {
  const { seconds, events, panels } = JSON.parse(document.getElementById("data").textContent);
  // The unit stands above the plot, and the events' badges between them.
  const top = events.length ? 40 : 22, height = top + 208, bottom = 26, right = 14, colours = 8;
  const span = Math.max(seconds, 0.001);

  const number = (value, digits) => value.toLocaleString("en-GB", { maximumFractionDigits: digits });
  /** At most three significant figures below a thousand, whole numbers above. */
  const rounded = value => {
    const size = Math.abs(value);
    return number(value, size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3);
  };
  /** The divisor and name of a unit in which `value` is easily read. */
  function scale(unit, value) {
    const size = Math.abs(value);
    if (unit === "s") {
      if (size === 0 || size >= 1) return size >= 300 ? [60, "min"] : [1, "s"];
      return size >= 0.001 ? [0.001, "ms"] : [0.000001, "µs"];
    }
    if (unit !== "B" || size < 1e3) return [1, unit];
    return size >= 1e9 ? [1e9, "GB"] : size >= 1e6 ? [1e6, "MB"] : [1e3, "kB"];
  }
  function figure(value, unit) {
    if (value === null || value === undefined) return "n/a";
    const [by, name] = scale(unit, value);
    return rounded(value / by) + (name ? " " + name : "");
  }
  function moment(at) {
    if (span <= 150) return number(at, 1) + " s";
    const whole = Math.round(at), two = part => String(part).padStart(2, "0");
    const hours = Math.floor(whole / 3600), minutes = Math.floor(whole / 60) % 60;
    return (hours ? hours + " h " + two(minutes) : minutes) + " min " + two(whole % 60) + " s";
  }
  /** A round step that divides `range` into some `count` parts. */
  function niceStep(range, count) {
    const raw = range / count, power = 10 ** Math.floor(Math.log10(raw));
    return [1, 2, 2.5, 5, 10].find(factor => factor * power >= raw * 0.999) * power;
  }
  function timeTicks(width) {
    const steps = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400];
    const wanted = span / Math.max(2, Math.floor(width / 58));
    const step = steps.find(step => step >= wanted) ?? Math.ceil(wanted / 86400) * 86400;
    const [by, name] = step < 60 ? [1, "s"] : step < 3600 ? [60, "min"] : [3600, "h"];
    const ticks = [];
    for (let i = 0; i * step <= span * 1.0001; i++) ticks.push([i * step, number(i * step / by, 1) + " " + name]);
    return ticks;
  }

  function svg(name, attributes, parent) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const key in attributes) element.setAttribute(key, attributes[key]);
    parent?.append(element);
    return element;
  }
  function html(name, className, text, parent) {
    const element = document.createElement(name);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    parent?.append(element);
    return element;
  }
  const colour = index => `var(--c${index % colours})`;
  /** Lines after the eighth have the same colours again, dotted. */
  const dots = index => (index < colours ? "none" : "1 5");

  /** Thinner where the points stand close, so that one line does not cover the others. */
  const thickness = points => (points.length > 300 ? 1.1 : 1.7);
  /** The edge of an area, so that a thin one is seen at all. */
  const edge = points => (points.length > 300 ? 0.2 : 0.7);

  /** The index of the point nearest to a time. */
  function nearest(points, at) {
    let low = 0, high = points.length - 1;
    if (high < 0) return -1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (points[middle][0] < at) low = middle + 1; else high = middle;
    }
    return low > 0 && at - points[low - 1][0] < points[low][0] - at ? low - 1 : low;
  }
  /** The limit at a time: each value holds until the next. */
  function limitAt(limit, at) {
    let value = null;
    for (const [from, next] of limit ?? []) if (from <= at || value === null) value = next;
    return value;
  }

  const drawn = [];
  function show(at, source) { for (const panel of drawn) panel.point(at, panel === source); }

  function draw(panel, plot) {
    const hidden = new Set();
    let width = 0, left = 0, view = null, image = null, at = null;
    const tip = html("div", "tip"), legend = html("ul", "legend");
    tip.hidden = true;
    plot.append(tip, legend);

    const x = time => left + Math.min(Math.max(time / span, 0), 1) * (width - left - right);
    const y = value => top + (1 - Math.min(value / view.max, 1.02)) * (height - top - bottom);

    /** Each shown line with its drawn points: `[time, top of it, bottom of it, value]`. */
    function layers() {
      const sums = [];
      return panel.lines.map((line, index) => ({ line, index })).filter(({ index }) => !hidden.has(index))
        .map(({ line, index }) => ({ label: line.label, index, points: line.points.map(([time, value], i) => {
          if (!panel.stacked) return [time, value, 0, value];
          const below = sums[i] ?? 0;
          sums[i] = below + (value ?? 0);
          return [time, sums[i], below, value];
        }) }));
    }

    function path(points) {
      let text = "", pen = false;
      for (const [time, value] of points) {
        if (value === null) { pen = false; continue; }
        text += `${pen ? "L" : "M"}${x(time).toFixed(1)} ${y(value).toFixed(1)}`;
        if (!pen) text += "h0";
        pen = true;
      }
      return text;
    }
    function area(points) {
      const over = points.map(([time, value]) => `${x(time).toFixed(1)} ${y(value).toFixed(1)}`);
      const under = points.map(([time, , below]) => `${x(time).toFixed(1)} ${y(below).toFixed(1)}`).reverse();
      return points.length ? `M${over.join("L")}L${under.join("L")}Z` : "";
    }
    function limitPath(limit) {
      let text = "";
      limit.forEach(([from, value], i) => {
        if (value === null) return;
        const end = x(limit[i + 1]?.[0] ?? span).toFixed(1);
        const isJoined = i > 0 && limit[i - 1][1] !== null;
        text += `${isJoined ? "L" : "M"}${x(i ? from : Math.min(from, 0)).toFixed(1)} ${y(value).toFixed(1)}H${end}`;
      });
      return text;
    }

    function render() {
      width = Math.max(plot.clientWidth, 200);
      const shown = layers();
      const greatest = shown.reduce((most, { points }) => points.reduce((m, p) => Math.max(m, p[1] ?? 0), most), 0);
      const limits = (panel.limit ?? []).map(point => point[1]).filter(value => value !== null);
      const limit = Math.max(0, ...limits);
      // A limit far above all that happened would press the lines flat; the legend tells it then.
      const isFar = limit > 4 * greatest && greatest > 0;
      const most = Math.max(greatest, isFar ? 0 : limit) || (panel.unit === "%" ? 100 : 1);
      const [by, unit] = scale(panel.unit, most);
      const step = niceStep(most / by, 5);
      let max = Math.ceil(most / by / step - 0.001) * step;
      // Room above a limit, so that going over it would be seen.
      if (limit === most && max - most / by < step * 0.15) max += step / 2;
      view = { max: max * by, shown };
      const marks = [];
      for (let i = 0; i * step <= max * 1.0001; i++) marks.push([i * step * by, number(i * step, 6)]);
      // The same for most panels, so that their events stand under one another.
      left = Math.max(54, Math.max(...marks.map(mark => mark[1].length)) * 7 + 10);

      image?.remove();
      image = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", tabindex: 0 });
      const names = panel.lines.map(line => line.label).join(", ");
      image.setAttribute("aria-label", `${panel.title}: ${names}, over ${moment(span)}`);
      plot.insertBefore(image, tip);
      for (const [value, label] of marks) {
        if (value) svg("line", { class: "grid", x1: left, x2: width - right, y1: y(value), y2: y(value) }, image);
        svg("text", { x: left - 6, y: y(value) + 4, "text-anchor": "end" }, image).textContent = label;
      }
      svg("text", { x: 0, y: 11 }, image).textContent = unit;
      for (const [time, label] of timeTicks(width - left - right)) {
        svg("line", { class: "axis", x1: x(time), x2: x(time), y1: height - bottom, y2: height - bottom + 4 }, image);
        const isLast = x(time) + label.length * 3.5 > width;
        const place = { x: isLast ? width : x(time), y: height - 7, "text-anchor": isLast ? "end" : "middle" };
        svg("text", place, image).textContent = label;
      }
      for (const { points, index } of panel.stacked ? shown : []) {
        const style = `fill:${colour(index)};stroke:${colour(index)};stroke-width:${edge(points)}`;
        svg("path", { d: area(points), style }, image);
      }
      svg("line", { class: "axis", x1: left, x2: width - right, y1: y(0), y2: y(0) }, image);
      eventLines();
      for (const { points, index } of panel.stacked ? [] : shown) {
        const style = `stroke:${colour(index)};stroke-dasharray:${dots(index)};stroke-width:${thickness(points)}`;
        svg("path", { class: "line", d: path(points), style }, image);
      }
      if (limits.length && !isFar) svg("path", { class: "limit", d: limitPath(panel.limit) }, image);
      view.cursor = svg("g", {}, image);
      drawLegend(limits, isFar);
      listen();
      point(at, false);
    }

    /** A line for each event; a badge for those that stand close together. */
    function eventLines() {
      const groups = [];
      const wide = group => (group.first === group.last ? `${group.first}` : `${group.first}–${group.last}`);
      events.forEach((event, i) => {
        const place = x(event.at), last = groups.at(-1);
        svg("line", { class: "event", x1: place, x2: place, y1: top - 7, y2: height - bottom }, image);
        if (last && place - last.x < wide(last).length * 6 + 12) last.last = i + 1;
        else groups.push({ x: place, first: i + 1, last: i + 1 });
      });
      for (const group of groups) {
        const half = wide(group).length * 3 + 4;
        const middle = Math.min(Math.max(group.x, half + 1), width - half - 1);
        svg("rect", { class: "badge", x: middle - half, y: 18, width: 2 * half, height: 15, rx: 7 }, image);
        svg("text", { class: "number", x: middle, y: 29 }, image).textContent = wide(group);
      }
    }

    function drawLegend(limits, isFar) {
      if (legend.childElementCount) return;
      panel.lines.forEach((line, index) => {
        const button = html("button", "", undefined, html("li", "", undefined, legend));
        button.type = "button";
        button.setAttribute("aria-pressed", "true");
        const sample = svg("svg", { width: 18, height: 10, "aria-hidden": "true" }, button);
        if (panel.stacked) svg("rect", { x: 3, width: 12, height: 10, rx: 2, style: `fill:${colour(index)}` }, sample);
        else {
          const style = `stroke:${colour(index)};stroke-width:3;stroke-dasharray:${dots(index)}`;
          svg("path", { class: "line", d: "M1 5H17", style }, sample);
        }
        button.append(line.label);
        button.addEventListener("click", () => {
          if (!hidden.delete(index)) hidden.add(index);
          button.setAttribute("aria-pressed", String(!hidden.has(index)));
          render();
        });
      });
      if (!limits.length) return;
      const entry = html("span", "entry", undefined, html("li", "", undefined, legend));
      const sample = svg("svg", { width: 22, height: 10, "aria-hidden": "true" }, entry);
      svg("path", { class: "limit", d: "M0 5H22" }, sample);
      const values = [...new Set(limits)].map(value => figure(value, panel.unit));
      const said = values.length > 3 ? `${values[0]} … ${values.at(-1)}` : values.join(", ");
      entry.append(`limit ${said}${isFar ? " (above the plot)" : ""}`);
    }

    /** Shows a moment: a line in every panel, the values in the one that is pointed at. */
    function point(time, isSource) {
      at = time;
      view.cursor.replaceChildren();
      tip.hidden = true;
      if (time === null) return;
      svg("line", { class: "cursor", x1: x(time), x2: x(time), y1: top, y2: height - bottom }, view.cursor);
      const found = view.shown.map(({ label, index, points }) => {
        const sample = points[nearest(points, time)];
        const isNear = sample && Math.abs(sample[0] - time) <= Math.max(span / 40, 2);
        if (isNear && sample[3] !== null) {
          const place = { cx: x(sample[0]), cy: y(sample[1]), r: 3.5 };
          svg("circle", { class: "dot", ...place, style: `fill:${colour(index)}` }, view.cursor);
        }
        return { label, index, value: isNear ? sample[3] : null };
      });
      if (!isSource) return;
      tip.replaceChildren(html("b", "", moment(time)));
      // A unit that is the same for every value is said once.
      const once = panel.unit === "s" || panel.unit === "B" ? "" : panel.unit;
      if (once) html("i", "", `, ${once}`, tip.firstChild);
      const row = (fill, label, value) => {
        const line = html("div", "", undefined, tip);
        html("span", "swatch", undefined, line).style.background = fill;
        html("span", "", label, line);
        html("span", "", figure(value, once ? "" : panel.unit), line);
      };
      for (const { label, index, value } of panel.stacked ? found.reverse() : found) row(colour(index), label, value);
      const sum = found.reduce((total, { value }) => total + (value ?? 0), 0);
      if (panel.stacked && found.length > 1) row("none", "together", sum);
      const limit = limitAt(panel.limit, time);
      if (limit !== null) row("none", "limit", limit);
      events.forEach((event, i) => {
        if (Math.abs(x(event.at) - x(time)) < 5) html("em", "", `${i + 1}: ${event.what} (${moment(event.at)})`, tip);
      });
      tip.hidden = false;
      tip.style.top = `${top}px`;
      const isLeft = x(time) < width / 2;
      tip.style.left = isLeft ? `${x(time) + 12}px` : "auto";
      tip.style.right = isLeft ? "auto" : `${width - x(time) + 12}px`;
    }

    function listen() {
      const timeOf = event => {
        const share = (event.clientX - image.getBoundingClientRect().left - left) / (width - left - right);
        return Math.min(Math.max(share, 0), 1) * span;
      };
      image.addEventListener("pointermove", event => show(timeOf(event), self));
      image.addEventListener("pointerdown", event => show(timeOf(event), self));
      image.addEventListener("pointerleave", event => { if (event.pointerType === "mouse") show(null, self); });
      image.addEventListener("blur", () => show(null, self));
      image.addEventListener("keydown", event => {
        const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
        if (event.key === "Escape") show(null, self);
        if (!way) return;
        event.preventDefault();
        const next = (at ?? (way > 0 ? 0 : span)) + way * span / 100;
        show(Math.min(Math.max(next, 0), span), self);
      });
    }

    const self = { point };
    render();
    new ResizeObserver(() => { if (Math.abs(plot.clientWidth - width) > 1) render(); }).observe(plot);
    return self;
  }

  document.querySelectorAll("[data-panel]").forEach(element => {
    element.querySelector("details")?.removeAttribute("open");
    drawn.push(draw(panels[element.dataset.panel], element.querySelector(".plot")));
  });
})();
