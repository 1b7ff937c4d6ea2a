// Every recommended rule holds but these.
module.exports = {
  root: true,
  extends: ["html-validate:recommended"],
  rules: {
    // HTML asks for no case; the pages are written as <!doctype html> throughout.
    "doctype-style": "off",
    // What a template leaves where it put nothing. No browser sees it, and it packs to nothing.
    "no-trailing-whitespace": "off",
    // The title has the game's name in it, which may have 100 characters.
    "long-title": "off",
    // Without script the waiting page looks again every 4 seconds. It is inside a noscript,
    // the page takes no input that could be lost, and a link beside it does the same.
    "meta-refresh": "off",
  },
};
