package browser

// pwn is what every payload tries to call. The tests define it before the page's own script.
const definePwn = `window.pwned = 0; window.pwn = () => { window.pwned++; console.error("pwned: a payload ran"); }; window.alert = window.confirm = window.prompt = pwn;`

// payloads would run script, load something or change the page's elements where a page
// took them for more than text.
var payloads = []string{
	// Tags.
	`<script>pwn()</script>`, `<ScRiPt>pwn()</sCrIpT>`, `<script src=//evil.test/x.js></script>`, `<script/x>pwn()</script/x>`, `<<script>pwn()//<</script>`,
	`<img src=x onerror=pwn()>`, `<img/src=x/onerror=pwn()>`, `<IMG """><script>pwn()</script>">`, `<body onload=pwn()>`, `<iframe srcdoc="<script>parent.pwn()</script>">`,
	`<iframe src="javascript:parent.pwn()">`, `<object data="javascript:pwn()">`, `<embed src="javascript:pwn()">`, `<video><source onerror=pwn()></video>`, `<audio src=x onerror=pwn()>`,
	`<details open ontoggle=pwn()>`, `<input autofocus onfocus=pwn()>`, `<select autofocus onfocus=pwn()>`, `<marquee onstart=pwn()>`, `<form action=javascript:pwn()><button>Pay</button></form>`,
	`<button formaction=javascript:pwn()>Pay</button>`, `<base href=//evil.test/>`, `<meta http-equiv=refresh content="0;url=javascript:pwn()">`, `<link rel=stylesheet href=//evil.test/x.css>`,
	`<template><script>pwn()</script></template>`, `<dialog open>Pay here</dialog>`, `<slot name=x onslotchange=pwn()>`, `<x contenteditable onfocus=pwn() tabindex=1 autofocus>`,
	// Out of what surrounds them.
	`</title><script>pwn()</script>`, `</style><script>pwn()</script>`, `</script><script>pwn()</script>`, `</noscript><script>pwn()</script>`, `</textarea><img src=x onerror=pwn()>`,
	`--><script>pwn()</script>`, `<!--<script>pwn()`, `<![CDATA[<script>pwn()</script>]]>`, `</main></body></html><script>pwn()</script>`, `</bdi></h1><img src=x onerror=pwn()>`,
	// Attributes.
	`"><img src=x onerror=pwn()>`, `'><img src=x onerror=pwn()>`, `" onmouseover="pwn()`, `' autofocus onfocus='pwn()`, `x onclick=pwn()`, "` onmouseover=pwn() `",
	`"style="animation-name:turn"onanimationstart="pwn()`, `"/onfocus=pwn()/autofocus="`, `&quot; onfocus=&quot;pwn()`,
	// SVG and MathML.
	`<svg onload=pwn()>`, `<svg/onload=pwn()>`, `<svg><script>pwn()</script></svg>`, `<svg><animate onbegin=pwn() attributeName=x dur=1s>`, `<svg><a xlink:href=javascript:pwn()><text>Pay</text></a></svg>`,
	`<svg><style><img src=x onerror=pwn()></style></svg>`, `<svg><foreignObject><body onload=pwn()></foreignObject></svg>`, `<math><mtext><mglyph><style><img src=x onerror=pwn()>`, `<math href=javascript:pwn()>Pay</math>`,
	// Styles.
	`<style>*{background:url(//evil.test/x)}</style>`, `<div style="background:url(javascript:pwn())">`, `}body{background:url(//evil.test/x)}`, `expression(pwn())`, `@import '//evil.test/x.css';`,
	// Template syntax, of ours and of others.
	`{{.Nonce}}`, `{{printf "%s" .Nonce}}`, `{{template "signed" .}}`, `{{constructor.constructor('pwn()')()}}`, `${pwn()}`, "`${pwn()}`", `<%= pwn() %>`, `#{pwn()}`, `[[${pwn()}]]`, `{% raw %}{{pwn()}}`, `{0} {1} {2}`, `%s%d%n`,
	// URLs.
	`javascript:pwn()`, `JaVaScRiPt:pwn()`, `data:text/html,<script>pwn()</script>`, `data:text/html;base64,PHNjcmlwdD5wd24oKTwvc2NyaXB0Pg==`, `vbscript:pwn()`, `//evil.test/`,
	// Encodings.
	`&lt;script&gt;pwn()&lt;/script&gt;`, `&#60;script&#62;pwn()&#60;/script&#62;`, `%3Cscript%3Epwn()%3C/script%3E`, `\u003cscript\u003epwn()\u003c/script\u003e`, `\x3cscript\x3epwn()`, `+ADw-script+AD4-pwn()+ADw-/script+AD4-`,
	"＜script＞pwn()＜/script＞", "‹script›pwn()‹/script›", "<ſcript>pwn()</ſcript>", "<scrıpt>pwn()</scrıpt>", "\u200b<script>pwn()</script>\u200d", "\ufeff<img src=x onerror=pwn()>",
	// What turns a line or falls apart, as far as it is taken.
	"\u200fgnp.exe\u200e", "אבג <script>pwn()</script> דהו", "Zal\u0351\u0352\u0353go\u0300\u0301\u0302", "\U000e0041\U000e0042 tags", "🏴‍☠️👩‍👩‍👧‍👦", "ﷺ﷽", "\U0001f600\ufe0f<b>bold</b>",
}

// refused are texts that no field takes: they are not UTF-8, or they control how what
// is around them is read.
var refused = []string{
	"50 \u202ecoins", "\u202dcoins", "\u2066coins\u2069", "\u2067coins", "\u2068coins", "\u202acoins\u202c", "\u202bcoins",
	"a\u2028b", "a\u2029b", "a\x00b", "a\x01b", "a\x1bb[31m", "a\x7fb", "a\u0085b", "a\nb", "a\rb", "a\tb", "\x08coins",
	"\xff", "coins\xfe", "\xc0\xbcscript\xc0\xbepwn()", "\xe0\x80\xbcscript", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc3(", "\xe2\x82", "\x80",
}
