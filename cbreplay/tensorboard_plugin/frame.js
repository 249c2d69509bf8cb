// Shows the page about the log directory in a frame of its own, in TensorBoard's colours,
// and shows it anew when the files have changed; what was chosen on it stays chosen.
const SECONDS = 15;

export function render() {
  const frame = document.createElement("iframe");
  const said = document.createElement("p");
  frame.title = "cbreplay";
  said.setAttribute("role", "status");
  Object.assign(document.body.style, { margin: 0, height: "100vh", overflow: "hidden" });
  Object.assign(frame.style, { border: 0, width: "100%", height: "100%", display: "block" });
  Object.assign(said.style, {
    position: "absolute", margin: "24px 32px", font: "15px system-ui, sans-serif", color: "#888",
  });
  said.textContent = "Reading the logs\u2026";
  frame.addEventListener("load", () => { said.hidden = true; });
  document.body.append(said, frame);

  const outside = window.parent.document.body;
  const colour = () => {
    const dark = outside.classList.contains("dark-mode");
    frame.style.colorScheme = dark ? "dark" : "light";
    document.body.style.background = dark ? "#14191f" : "#fff";
  };
  new MutationObserver(colour).observe(outside, { attributeFilter: ["class"] });
  colour();

  let shown = "";
  const follow = async () => {
    if (document.hidden) return;
    const answer = await fetch("./version").catch(() => null);
    const version = answer?.ok ? await answer.text() : shown;
    if (version === shown) return;
    const chosen = shown ? frame.contentWindow.location.hash : "";
    shown = version;
    frame.src = `./page?${version}${chosen}`;
  };
  follow();
  setInterval(follow, 1000 * SECONDS);
}
