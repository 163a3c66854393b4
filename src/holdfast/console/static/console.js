// The console works without this file; it adds live updates, keys and the theme. No text of telemetry is ever made into markup here:
// a changed page is fetched as it is served, and its regions are put in place of the old ones.
"use strict";
(() => {
  const root = document.documentElement;
  const $ = (selector) => document.querySelector(selector);
  const all = (selector) => [...document.querySelectorAll(selector)];

  // Theme: auto → light → dark, remembered in a cookie so that the server renders it.
  const themes = ["auto", "light", "dark"];
  const setTheme = () => {
    const next = themes[(themes.indexOf(root.dataset.theme) + 1) % themes.length];
    root.dataset.theme = next;
    document.cookie = `holdfast_theme=${next}; path=/; max-age=31536000; samesite=lax`;
    all("[data-theme-name]").forEach((label) => { label.textContent = next; });
  };
  all("[data-action=theme]").forEach((button) => button.addEventListener("click", setTheme));

  // The set-up link carries its secret behind the #, which no server or proxy sees.
  const code = $("input[name=secret]");
  if (code && location.hash.length > 1) {
    code.value = decodeURIComponent(location.hash.slice(1));
    history.replaceState(null, "", location.pathname);
  }

  // Live: when the ledger moves, regions are fetched anew. One that somebody is working in waits.
  const busy = (region) => region.contains(document.activeElement) && document.activeElement.matches("input, textarea, select")
    || region.querySelector("details.do[open], input:checked");
  let refreshing = false, again = false;
  const refresh = async () => {
    if (refreshing) { again = true; return; }
    refreshing = true;
    try {
      const answer = await fetch(location.href, { headers: { "X-Live": "1" }, credentials: "same-origin" });
      if (answer.redirected || !answer.ok) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const region of all("[data-region]")) {
        const other = fresh.querySelector(`[data-region="${region.dataset.region}"]`);
        if (other && !busy(region) && other.innerHTML !== region.innerHTML) {
          const open = [...region.querySelectorAll("details[open][id]")].map((d) => d.id);
          const at = document.activeElement && region.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
          region.replaceChildren(...document.importNode(other, true).childNodes);
          open.forEach((id) => { const d = document.getElementById(id); if (d) d.open = true; });
          if (at) { const link = [...region.querySelectorAll("a")].find((a) => a.getAttribute("href") === at); if (link) link.focus(); }
        }
      }
    } catch (error) {
      console.debug("not refreshed", error.message);
    } finally {
      refreshing = false;
      if (again) { again = false; setTimeout(refresh, 500); }
    }
  };
  const live = $(".live");
  if (live && $("[data-region]")) {
    const source = new EventSource("/api/v1/events");
    const shown = (on) => { live.classList.toggle("on", on); live.textContent = on ? "live" : "reconnecting"; };
    source.onopen = () => { shown(true); };
    source.onerror = () => { shown(false); };
    source.addEventListener("incident", (event) => {
      const only = document.body.dataset.incident;
      if (!only || JSON.parse(event.data).incident === only) refresh();
    });
    const every = Number(document.body.dataset.every || 0);
    if (every) setInterval(() => { if (!document.hidden) refresh(); }, every * 1000);
    window.addEventListener("pagehide", () => source.close());
  }

  // Keys. None fires while somebody types.
  let leader = false;
  const places = { o: "/", i: "/incidents", c: "/calls", m: "/charts", h: "/changes", t: "/control", d: "/drills", a: "/audit", s: "/settings" };
  const rows = () => all("[data-rows] tbody tr");
  const move = (step) => {
    const list = rows();
    if (!list.length) return;
    const at = list.findIndex((row) => row.getAttribute("aria-selected") === "true");
    const to = Math.min(Math.max(at + step, 0), list.length - 1);
    list.forEach((row, index) => row.setAttribute("aria-selected", index === to ? "true" : "false"));
    const link = list[to].querySelector("a");
    if (link) link.focus();
    list[to].scrollIntoView({ block: "nearest" });
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const open = all("details.do[open]");
    if (event.key === "Escape" && open.length) { open.forEach((d) => { d.open = false; d.querySelector("summary").focus(); }); return; }
    if (event.target.matches("input, textarea, select")) return;
    if (leader) {
      leader = false;
      if (places[event.key]) { event.preventDefault(); location.href = places[event.key]; }
      return;
    }
    const hot = $(`[data-key="${CSS.escape(event.key)}"]`);
    if (event.key === "g") { leader = true; setTimeout(() => { leader = false; }, 1500); }
    else if (event.key === "j") move(1);
    else if (event.key === "k") move(-1);
    else if (event.key === "/") { const field = $("[data-search]"); if (field) { event.preventDefault(); field.focus(); } }
    else if (event.key === "?") { const help = $("#keys"); if (help) help.showModal(); }
    else if (event.key === "t") setTheme();
    else if (hot) {
      event.preventDefault();
      if (hot.tagName === "SUMMARY") { hot.parentElement.open = true; const field = hot.parentElement.querySelector("textarea, input:not([type=hidden]), select"); if (field) field.focus(); }
      else hot.click();
    }
  });
  all("[data-action=keys]").forEach((button) => button.addEventListener("click", () => { const help = $("#keys"); if (help) help.showModal(); }));

  // One open menu at a time; a click elsewhere closes it.
  document.addEventListener("click", (event) => {
    all("details.do[open]").forEach((d) => { if (!d.contains(event.target)) d.open = false; });
    if (event.target.matches("[data-pick-all]")) all("input[name=pick]").forEach((box) => { box.checked = event.target.checked; });
  });
  // A page that asks something opens as a dialog over the one it was asked from. What it shows goes after its time, when it is
  // closed, and when the page is left.
  const asked = $("#asked");
  let gone = 0;
  const forget = () => { clearTimeout(gone); if (asked) { asked.replaceChildren(); if (asked.open) asked.close(); } };
  const put = async (answer) => {
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const panel = fresh.querySelector("[data-dialog]") || fresh.querySelector("main .panel");
    if (answer.redirected || !panel) { forget(); location.reload(); return; }
    asked.replaceChildren(document.importNode(panel, true));
    if (!asked.open) asked.showModal();
    const field = asked.querySelector("textarea, a.button");
    if (field) field.focus();
    const shown = asked.querySelector("[data-original]");
    clearTimeout(gone);
    if (shown) gone = setTimeout(forget, 1000 * Number(shown.dataset.original));
  };
  if (asked) {
    asked.addEventListener("close", forget);
    document.addEventListener("click", (event) => {
      const link = event.target.closest("a[data-ask]");
      if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
        event.preventDefault();
        fetch(link.href, { credentials: "same-origin" }).then(put, () => { location.href = link.href; });
      }
      if (asked.open && event.target.closest("#asked a[data-close]")) { event.preventDefault(); forget(); }
    });
    asked.addEventListener("submit", (event) => {
      event.preventDefault();
      const form = event.target;
      fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)), credentials: "same-origin" }).then(put, forget);
    });
  }
  window.addEventListener("pagehide", () => { forget(); all("[data-original]").forEach((shown) => shown.remove()); });

  // What cannot be taken back is asked for twice.
  document.addEventListener("submit", (event) => {
    const question = event.target.dataset.confirm;
    if (question && !window.confirm(question)) event.preventDefault();
  });
})();
