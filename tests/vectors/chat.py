"""Writes chat.json: chat templates in the common shapes, each in words of our own, and what Jinja2 (3.1.6) makes of them, set up as Hugging Face's
apply_chat_template sets it up. A text is null where Jinja2 refuses. Also small templates for one
rule of the language each. Needs: pip install jinja2==3.1.6. Run: python3 chat.py > chat.json
"""
import json
import sys

import jinja2
import jinja2.ext
from jinja2.sandbox import ImmutableSandboxedEnvironment

TOKENS = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}

CHATML = """{% for m in messages %}
{{ '<|im_start|>' ~ m.role ~ '\\n' ~ m.content ~ '<|im_end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}
"""

CHATML_WITH_SYSTEM = """{%- if messages[0]['role'] != 'system' -%}
    {{- "<|im_start|>system\\nYou help nurses.<|im_end|>\\n" -}}
{%- endif -%}
{%- for message in messages -%}
    {%- if message.role in ['system', 'user'] or (message.role == "assistant" and not message.tool_calls) -%}
        {{- "<|im_start|>" + message.role + "\\n" + message.content + "<|im_end|>" + "\\n" -}}
    {%- elif message.role == "tool" -%}
        {{- message | tojson -}}
    {%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- "<|im_start|>assistant\\n" -}}{%- endif -%}"""

LLAMA_2 = """{%- set system = '' -%}{%- set rest = messages -%}
{%- if messages[0]['role'] == 'system' -%}
  {%- set system = '<<SYS>>\\n' + messages[0]['content'].strip() + '\\n<</SYS>>\\n\\n' -%}
  {%- set rest = messages[1:] -%}
{%- endif -%}
{%- for message in rest -%}
  {%- if (loop.index0 % 2 == 0) != (message['role'] == 'user') -%}
    {{ raise_exception('user and assistant take turns') }}
  {%- endif -%}
  {%- if message['role'] == 'user' -%}
    {{ bos_token ~ '[INST] ' ~ (system if loop.first else '') ~ message['content'].strip() ~ ' [/INST]' }}
  {%- else -%}
    {{ ' ' + message['content'] | trim + ' ' + eos_token }}
  {%- endif -%}
{%- endfor -%}
"""

LLAMA_3 = """{{- bos_token }}
{%- if not date_string is defined %}
    {%- if strftime_now is defined %}
        {%- set date_string = strftime_now("%d %b %Y") %}
    {%- else %}
        {%- set date_string = "26 Jul 2024" %}
    {%- endif %}
{%- endif %}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content']|trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = "" %}
{%- endif %}
{{- "<|start_header_id|>system<|end_header_id|>\\n\\nToday Date: " + date_string + "\\n\\n" + system_message + "<|eot_id|>" }}
{%- for message in messages %}
    {%- if not (message.role == 'ipython' or message.role == 'tool' or 'tool_calls' in message) %}
        {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' + message['content'] | trim + '<|eot_id|>' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}
"""

MISTRAL = """{%- set users = messages | selectattr("role", "equalto", "user") | list -%}
{%- set ns = namespace(turn=0) -%}
{{- bos_token -}}
{%- for message in messages -%}
  {%- if message.role == "system" -%}{%- continue -%}{%- endif -%}
  {%- if (message.role == "user") != (ns.turn % 2 == 0) -%}{{ raise_exception("turns must alternate") }}{%- endif -%}
  {%- set ns.turn = ns.turn + 1 -%}
  {%- if message.role == "user" -%}
    {%- if loop.last and messages[0].role == "system" -%}
      {{- "[INST] " + messages[0].content + "\\n\\n" + message.content + "[/INST]" -}}
    {%- else -%}
      {{- "[INST] " + message.content + "[/INST]" -}}
    {%- endif -%}
  {%- else -%}
    {{- " " + message.content | trim + eos_token -}}
  {%- endif -%}
{%- endfor -%}
{#- {{ users | length }} users -#}
"""

ZEPHYR = """{% for message in messages %}
{% if message['role'] == 'user' %}
{{ '<|user|>\\n' + message['content'] + eos_token }}
{% elif message['role'] == 'system' %}
{{ '<|system|>\\n' + message['content'] + eos_token }}
{% elif message['role'] == 'assistant' %}
{{ '<|assistant|>\\n' + message['content'] + eos_token }}
{% endif %}
{% if loop.last and add_generation_prompt %}
{{ '<|assistant|>' }}
{% endif %}
{% endfor %}"""

PHI_3 = """{% for message in messages %}{% if message['role'] == 'system' and message['content'] %}{{'<|system|>\\n' + message['content'] + '<|end|>\\n'}}{% elif message['role'] == 'user' %}{{'<|user|>\\n' + message['content'] + '<|end|>\\n'}}{% elif message['role'] == 'assistant' %}{{'<|assistant|>\\n' + message['content'] + '<|end|>\\n'}}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% else %}{{ eos_token }}{% endif %}"""

NO_SYSTEM = """{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}{% for message in messages %}{{ '<' + ('model' if message.role == 'assistant' else message.role) + '>' + message.content | trim + '</>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<model>' }}{% endif %}"""

THINKING = """{%- set ns = namespace(last=messages|length - 1, found=false) %}
{%- for message in messages[::-1] %}
    {%- if not ns.found and message.role == "user" and not(message.content.startswith('<r>') and message.content.endswith('</r>')) %}
        {%- set ns.last = messages|length - 1 - loop.index0 %}
        {%- set ns.found = true %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- set content = message.content %}
    {%- if message.role == 'assistant' and '</think>' in content %}
        {%- set thoughts = content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}
        {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
        {%- if loop.index0 > ns.last %}{%- set content = '<think>' ~ thoughts ~ '</think>' ~ content %}{%- endif %}
    {%- endif %}
    {{- '[' + message.role + ']' + content + '\\n' }}
{%- endfor %}
{%- if add_generation_prompt and enable_thinking is defined and enable_thinking is false %}{{ 'never' }}{%- endif %}"""

SHAPES = {
    "chatml": CHATML, "chatml with a system message of its own": CHATML_WITH_SYSTEM, "llama-2": LLAMA_2, "llama-3": LLAMA_3, "mistral": MISTRAL,
    "zephyr": ZEPHYR, "phi-3": PHI_3, "no system message": NO_SYSTEM, "thoughts": THINKING,
}

SYSTEM, ASK, ANSWER = {"role": "system", "content": " Be brief. "}, {"role": "user", "content": "What is 'G6PD'?"}, {"role": "assistant", "content": " An enzyme.\n"}
CONVERSATIONS = [
    [ASK], [SYSTEM, ASK], [ASK, ANSWER], [ASK, ANSWER, {"role": "user", "content": "  Grüße, 你好 {{ x }} {% if %} \\n\t"}],
    [SYSTEM, ASK, ANSWER, ASK, {"role": "assistant", "content": "<think>\nHm.\n</think>\n\nYes."}, {"role": "user", "content": ""}],
    [ASK, ASK],
]

# One rule each; told the first conversation.
RULES = [
    "a\n", "a\n\n", "  {% if true %}\n  x\n  {% endif %}\n  y", "  {%+ if true %}\n x{% endif +%}\ny", "a \n {{- 'b' -}} \n c", "{# note #}\nx", "  {# note #}  \nx {#- y -#} z", "{{ 'a' }}\nb",
    "{{ 1 + 2 * 3 - 4 }} {{ 7 // 2 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 2 - -1 }}", "{{ 'a' ~ 1 ~ true ~ none ~ nothing }}", "{{ 'a\\n\\t\\x41\\u00e9\\'\\q' \"b\" }}",
    "{{ 1 < 2 < 3 }} {{ 1 < 2 > 3 }} {{ 1 == 1.0 }} {{ 1 == true }} {{ 'a' < 'b' }} {{ 'a' != 'b' }}", "{{ not 1 in [1] }} {{ 2 not in [1] }} {{ 'b' in 'abc' }} {{ 'role' in messages[0] }}",
    "{{ 'x' if false }}|{{ 'x' if false else 'y' if true else 'z' }}", "{{ (1 or 2) }} {{ 0 or 'b' }} {{ 1 and 0 }} {{ '' and 1 }}|", "{{ messages[0].content.upper() }} {{ messages[-1]['role'].title() }} {{ messages|length }}",
    "{{ [1, 2, 3][1:] | join(',') }} {{ 'abcdef'[1:4] }} {{ 'abcdef'[::-1] }} {{ 'abcdef'[::2] }} {{ 'abcdef'[-2:] }} {{ 'abcdef'[9:] }}|", "{% for i in range(5) if i is odd %}{{ i }}{{ loop.length }}{% endfor %}",
    "{% for i in [] %}x{% else %}none{% endfor %}", "{% for i in range(9) %}{% if i == 2 %}{% continue %}{% endif %}{% if i == 5 %}{% break %}{% endif %}{{ i }}{% endfor %}",
    "{% set x = 1 %}{% for i in range(3) %}{{ x }}{% set x = x + 1 %}{% endfor %}{{ x }}", "{% set ns = namespace(x=1) %}{% for i in range(3) %}{% set ns.x = ns.x + i %}{% endfor %}{{ ns.x }}",
    "{% if true %}{% set x = 'in' %}{% endif %}{{ x }}", "{% set x %} a {{ 1 }} {% endset %}[{{ x }}]", "{% set a, b = [1, 2] %}{{ b }}{{ a }}",
    "{% for k, v in {'a': 1, 'b': 2}.items() %}{{ k }}={{ v }};{% endfor %}", "{% for k, v in {'a': 1} | items %}{{ k }}{{ v }}{% endfor %}", "{{ {'a': {'b': 'c'}}.a.b }} {{ {'a': 1}.get('x', 'no') }} {{ {'a': 1}['a'] }}",
    "{{ nothing is defined }} {{ messages is defined }} {{ none is none }} {{ 'a' is string }} {{ messages[0] is mapping }} {{ messages is iterable }} {{ 3 is number }} {{ messages is not string }}",
    "{{ nothing | default('d') }} {{ '' | default('d', true) }} {{ '' | default('d') }}|", "{{ '  a b  ' | trim }}|{{ '  a '.lstrip() }}|{{ '--a--'.strip('-') }}|{{ 'a,b,c'.split(',') | last }}|{{ ' a  b '.split() | join('/') }}|{{ 'a b c'.split(' ', 1) | last }}",
    "{{ 'hELLO wORLD' | title }} {{ 'hELLO' | capitalize }} {{ 'abc' | replace('b', 'x') }} {{ 'abc' | first }}{{ [1, 2] | last }} {{ 'abc' | reverse }}", "{{ [3, 1] | map(attribute='x') | list | length }} {{ messages | map(attribute='role') | join }}",
    "{{ messages | rejectattr('role', 'equalto', 'user') | list | length }} {{ messages | selectattr('role') | list | length }}", "{{ [1, [2]] == [1, [2]] }} {{ {'a': 1} == {'a': 1} }} {{ (1, 2) | length }} {{ () | length }}",
    "{% for m in messages %}{{ loop.first }}{{ loop.last }}{{ loop.index }}{{ loop.revindex0 }}{{ loop.previtem is defined }}{% endfor %}", "{{ 'a' 'b' }}{{ \"it's\" }}", "{{ loop }}|{{ nothing }}|", "{{ '%' ~ 5 }}{{ 10 / 4 if false else 'ok' }}",
    "{{ messages[5] is defined }} {{ messages[0].nothing is defined }} {{ messages[0]['nothing'] }}|", "{%- if messages -%} yes {%- elif x -%} no {%- else -%} else {%- endif -%} end", "{{ 'a\x1c\x1d ' | trim }}|{{ '\u00a0a\u2003'.strip() }}|",
    "{{ nothing.x }}", "{{ messages.x.y }}", "{{ 1 + 'a' }}", "{{ 'a'.nothing() }}", "{{ [1] | nothing }}", "{% if 1 is nothing %}{% endif %}", "{% if true %}", "{{ 'a", "{{ 1 ", "{% endif %}", "{{ 1 1 }}", "{{ raise_exception('no') }}",
]


def environment():
    env = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[jinja2.ext.loopcontrols])

    def refuse(message):
        raise jinja2.exceptions.TemplateError(message)

    env.globals["raise_exception"] = refuse
    env.globals["strftime_now"] = lambda form: {"%d %b %Y": "05 Mar 2027"}[form]
    return env


def render(template, messages, prompt):
    try:
        return environment().from_string(template).render(messages=messages, tools=None, documents=None, add_generation_prompt=prompt, **TOKENS)
    except Exception:  # what it says is another matter
        return None


def main(more=()):
    templates = [
        {"name": name, "template": template, "texts": [[render(template, messages, prompt) for prompt in (True, False)] for messages in CONVERSATIONS]}
        for name, template in [*SHAPES.items(), *more]
    ]
    rules = [{"name": "rule", "template": rule, "texts": [[render(rule, CONVERSATIONS[0], True)]]} for rule in RULES]
    json.dump({"tokens": TOKENS, "conversations": CONVERSATIONS, "templates": templates + rules}, sys.stdout, ensure_ascii=False, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main([(path, open(path, encoding="utf-8").read()) for path in sys.argv[1:]])
