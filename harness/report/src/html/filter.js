"use strict";
for (const button of document.querySelectorAll("[data-show]")) {
  button.addEventListener("click", () => {
    const wanted = button.dataset.show;
    for (const element of document.querySelectorAll("[data-verdict]")) {
      element.hidden = wanted !== "all" && element.dataset.verdict !== wanted;
    }
  });
}
const open = () => {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target instanceof HTMLDetailsElement) {
    target.open = true;
    target.scrollIntoView();
  }
};
addEventListener("hashchange", open);
open();
