"use strict";
// The only script: the ceremonies of passkeys, and '/' to search. Everything else
// works without.
(() => {
  const bytes = (s) => Uint8Array.from(atob(s.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (b) => btoa(String.fromCharCode(...new Uint8Array(b))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

  async function call(path, body) {
    const r = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-Zone": Intl.DateTimeFormat().resolvedOptions().timeZone || "" },
      body: JSON.stringify(body),
    });
    const answer = await r.json();
    if (r.ok) return answer;
    if (answer.retry && answer.button === "Prove it") location.assign(answer.retry);
    throw new Error([answer.title, answer.kept, answer.do, answer.instance && "Id: " + answer.instance].filter(Boolean).join(" "));
  }

  function answerOf(c) {
    const response = {};
    for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (c.response[name]) response[name] = text(c.response[name]);
    }
    return { id: c.id, rawId: text(c.rawId), type: c.type, response, clientExtensionResults: c.getClientExtensionResults() };
  }

  const begin = (what, next) => call(`/passkey/${what}/begin`, { next, invitation: location.hash.slice(1) });

  async function perform(what, next) {
    const makes = what === "join" || what === "add";
    const options = await begin(what, next);
    options.challenge = bytes(options.challenge);
    for (const list of [options.allowCredentials, options.excludeCredentials]) {
      for (const x of list || []) x.id = bytes(x.id);
    }
    if (makes) options.user.id = bytes(options.user.id);
    const c = makes ? await navigator.credentials.create({ publicKey: options }) : await navigator.credentials.get({ publicKey: options });
    const done = await call(`/passkey/${what}/finish`, answerOf(c));
    location.assign(done.next);
  }

  for (const box of document.querySelectorAll("[data-ceremony]")) {
    const button = box.querySelector("button"), status = box.querySelector("[role=status]");
    box.hidden = false;
    if (!window.PublicKeyCredential) {
      button.disabled = true;
      status.textContent = "This browser knows no passkeys. Use another.";
      continue;
    }
    // Whose link it is stands behind the #, which no server is sent before somebody asks.
    const who = document.querySelector("[data-who]");
    const shown = who && location.hash && begin(box.dataset.ceremony, box.dataset.next).then(
      (o) => { who.textContent = `${o.user.displayName} (${o.user.name})`; },
      (e) => { status.textContent = e.message; });
    button.addEventListener("click", async () => {
      button.disabled = true;
      status.textContent = "Waiting for your passkey…";
      try {
        await shown; // one ceremony at a time
        await perform(box.dataset.ceremony, box.dataset.next);
      } catch (e) {
        status.textContent = e.name === "NotAllowedError" ? "Nothing was done: the passkey was not used, or it took too long. Try again." :
          e.name === "InvalidStateError" ? "This device has a passkey for this account already. Sign in with it." : e.message;
        button.disabled = false;
      }
    });
  }

  document.addEventListener("keydown", (e) => {
    const search = document.querySelector("input[type=search]");
    if (e.key !== "/" || e.ctrlKey || e.metaKey || e.altKey || !search || e.target.closest("input, textarea, select")) return;
    e.preventDefault();
    search.focus();
  });
})();
