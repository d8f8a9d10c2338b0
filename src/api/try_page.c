/* try_page.c: GET /endpoints/{name}/docs, a page to ask an endpoint by hand, without anything from
 * elsewhere */

#include "api/try_page.h"

static const char page[] =
    "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">"
    "<meta name=\"viewport\" content=\"width=device-width\"><title>Try the endpoint</title><style>"
    "body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:50rem;padding:0 1rem}"
    "textarea,input{font:inherit;width:100%;box-sizing:border-box}textarea{height:8rem}"
    "pre{background:#f4f4f4;padding:1rem;overflow:auto;white-space:pre-wrap}</style></head><body>"
    "<h1>Try <span id=\"name\"></span></h1>"
    "<p>The description of this endpoint: <a href=\"openapi.json\">openapi.json</a>.</p>"
    "<form><label>Rows, as JSON<textarea id=\"rows\">{\"data\": [\"\"]}</textarea></label>"
    "<label>Token, if the server demands one<input id=\"token\" type=\"password\" "
    "autocomplete=\"off\"></label>"
    "<p><button value=\"predict\">Predict</button> <button value=\"explain\">Explain</button></p>"
    "</form><pre id=\"answer\" aria-live=\"polite\">no answer yet</pre><script>\n"
    "const at = id => document.getElementById(id);\n"
    "const headers = type => {\n"
    "  const token = at('token').value, all = type ? {'Content-Type': type} : {};\n"
    "  return token ? {...all, Authorization: 'Bearer ' + token} : all;\n"
    "};\n"
    "at('name').textContent = decodeURIComponent(location.pathname.split('/')[2]);\n"
    "const showExample = async () => {\n"
    "  const said = await fetch('openapi.json', {headers: headers()});\n"
    "  if (!said.ok) return;\n"
    "  const post = (await said.json()).paths[location.pathname.replace('docs', 'predict')].post;\n"
    "  const example = post.requestBody.content['application/json'].example;\n"
    "  if (example) at('rows').value = JSON.stringify(example, null, 2);\n"
    "};\n"
    "document.querySelector('form').addEventListener('submit', async event => {\n"
    "  event.preventDefault();\n"
    "  const said = await fetch(event.submitter.value, {method: 'POST', body: at('rows').value,\n"
    "    headers: headers('application/json')});\n"
    "  at('answer').textContent = said.status + '\\n' +\n"
    "    JSON.stringify(await said.json(), null, 2);\n"
    "});\n"
    "showExample();\n"
    "</script></body></html>\n";

bool show_try_page(Scope *scope, const Request *request, Response *response)
{
    (void)scope;
    (void)request;
    response->content_type = "text/html; charset=utf-8";
    response->body = page;
    response->body_size = sizeof(page) - 1;
    return true;
}
