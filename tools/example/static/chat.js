// New lines as they come, each put in its place; what somebody is reading or writing stays as it is.
"use strict";
document.documentElement.classList.add("scripted");
const chat = document.querySelector(".chat");
const log = () => chat.querySelector(".log");
const end = () => { log().scrollTop = log().scrollHeight; };
let stay = true; // at the end, unless somebody has scrolled up to read

function renew(fresh) {
  const list = log().querySelector("ol");
  const items = [...fresh.querySelectorAll("[data-part=log] ol > li")];
  const ids = new Set(items.map((item) => item.id));
  for (const old of [...list.children]) if (!ids.has(old.id)) old.remove();
  items.forEach((item, place) => {
    const old = document.getElementById(item.id);
    if (!old) list.insertBefore(item, list.children[place] ?? null);
    else if (old.dataset.state !== item.dataset.state || old.className !== item.className) old.replaceWith(item);
  });
  const about = fresh.querySelector("[data-part=about]");
  const aboutOld = chat.querySelector("[data-part=about]");
  if (aboutOld.innerHTML !== about.innerHTML) aboutOld.replaceWith(about);
  const write = fresh.querySelector("[data-part=write]");
  const writeOld = chat.querySelector("[data-part=write]");
  if (writeOld.dataset.state !== write.dataset.state) writeOld.replaceWith(write);
  if (stay) end();
}

async function follow() {
  let seen = chat.dataset.version;
  for (;;) {
    try {
      const answer = await fetch(`${chat.dataset.lines}?seen=${seen}`);
      if (!answer.ok) throw new Error(answer.statusText);
      seen = answer.headers.get("X-Version");
      renew(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } catch {
      await new Promise((later) => setTimeout(later, 2000));
    }
  }
}

async function send(event) {
  const form = event.target;
  if (!form.matches(".say, .tries form")) return;
  event.preventDefault();
  const data = new FormData(form, event.submitter);
  const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(data), headers: { Accept: "application/json" } });
  if (!form.matches(".say") || !answer.ok) return;
  const { refused } = await answer.json();
  const told = chat.querySelector(".refused");
  told.textContent = refused;
  told.hidden = !refused;
  if (!refused) form.elements.text.value = "";
  end();
}

// Where nobody has written yet: look whether somebody has.
async function wait(page) {
  for (;;) {
    const answer = await fetch(page.dataset.wait).catch(() => null);
    if (answer?.ok && (await answer.json()).there) return location.reload();
    await new Promise((later) => setTimeout(later, 1000));
  }
}

document.querySelector("#member").addEventListener("change", (event) => event.target.form.submit());
const waiting = document.querySelector("[data-wait]");
if (waiting) wait(waiting);
if (chat) {
  log().addEventListener("scroll", () => {
    stay = log().scrollHeight - log().scrollTop - log().clientHeight < 80;
  }, { passive: true });
  new ResizeObserver(() => stay && end()).observe(log());
  chat.addEventListener("submit", send);
  end();
  follow();
}
