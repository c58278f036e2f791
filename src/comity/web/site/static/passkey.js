// Passkeys: asks the server what to ask the authenticator, and sends its answer back with the form.
"use strict";
(() => {
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

  const asked = async (form) => {
    const sent = new URLSearchParams();
    const csrf = form.elements.namedItem("csrf");
    if (csrf) sent.set("csrf", csrf.value);
    const answer = await fetch(form.dataset.ask, { method: "POST", body: sent, redirect: "error" });
    if (!answer.ok) throw new Error(String(answer.status));
    const options = await answer.json();
    options.challenge = bytes(options.challenge);
    for (const list of [options.excludeCredentials, options.allowCredentials]) for (const key of list ?? []) key.id = bytes(key.id);
    if (options.user) options.user.id = bytes(options.user.id);
    return options;
  };

  const answered = (credential) => {
    const given = credential.response;
    const response = { clientDataJSON: text(given.clientDataJSON) };
    if (given.attestationObject) {
      response.attestationObject = text(given.attestationObject);
      response.transports = given.getTransports ? given.getTransports() : [];
    } else {
      response.authenticatorData = text(given.authenticatorData);
      response.signature = text(given.signature);
      if (given.userHandle) response.userHandle = text(given.userHandle);
    }
    return JSON.stringify({
      id: credential.id, rawId: text(credential.rawId), type: credential.type, response,
      authenticatorAttachment: credential.authenticatorAttachment, clientExtensionResults: credential.getClientExtensionResults(),
    });
  };

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    if (!window.PublicKeyCredential) { form.hidden = true; continue; }
    const waiting = form.querySelector("[data-waiting]"), button = form.querySelector("button");
    let ready = false;
    form.addEventListener("submit", async (event) => {
      if (ready) return;
      event.preventDefault();
      waiting.hidden = false;
      button.disabled = true;
      try {
        const publicKey = await asked(form);
        form.elements.namedItem("answer").value = answered(await navigator.credentials[form.dataset.passkey]({ publicKey }));
      } catch (error) {
        form.elements.namedItem("answer").value = ""; // stopped by the person: the server says what a refusal says
      }
      ready = true;
      form.submit();
    });
  }
})();
