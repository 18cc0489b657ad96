"""Behind a proxy, with two foreign applications under paths of their own.

    uvicorn examples.proxyfix_mount.app:app.asgi
    gunicorn examples.proxyfix_mount.app:app

`/wsgi` is a WSGI application and `/asgi` an ASGI one. Both answer under both servers: a2wsgi carries the one
that speaks the other protocol. `ProxyFix` is around all three.
"""

from werkzeug.middleware.proxy_fix import ProxyFix

from flaskctx import Flask, request, url_for


def wsgi_guest(environ, start_response):
    """A WSGI application from elsewhere: a framework's object would stand here."""
    text = f"WSGI guest at {environ['SCRIPT_NAME']}, asked for {environ['PATH_INFO']!r}\n"
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
    return [text.encode()]


async def asgi_guest(scope, receive, send):
    """An ASGI application from elsewhere."""
    path = scope["path"].removeprefix(scope["root_path"])
    text = f"ASGI guest at {scope['root_path']}, asked for {path!r}\n"
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})


app = Flask(__name__)
app.mount_wsgi("/wsgi", wsgi_guest)
app.mount_asgi("/asgi", asgi_guest)

# Believe one proxy in front, and nobody else, about these headers.
app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1, x_prefix=1)


@app.get("/")
async def where():
    """Tell the URL that the client sees, and the client's address."""
    return {"url": url_for("where", _external=True), "client": request.remote_addr}
