"""Files of any size, hashed while they arrive: stored nowhere, the same in a `def` and in an `async def` view.

uvicorn examples.upload.app:app.asgi
gunicorn --threads 20 examples.upload.app:app
"""

import hashlib

from werkzeug.utils import secure_filename

from flaskctx import Flask, render_template, request

app = Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = 8 * 1024**3
app.config["MAX_FORM_PARTS"] = 20


@app.get("/")
def index():
    return render_template("upload.html")


@app.post("/def", stream=True)
def upload():
    fields, files = {}, []
    for part in request.multipart():
        if part.filename is None:
            fields[part.name] = part.value
            continue
        file = ArrivingFile(part)
        for chunk in part:
            file.add(chunk)
        files.append(file.as_json())
    return {"fields": fields, "files": files}


@app.post("/async", stream=True)
async def async_upload():
    fields, files = {}, []
    async for part in request.multipart():
        if part.filename is None:
            fields[part.name] = part.value
            continue
        file = ArrivingFile(part)
        async for chunk in part:
            file.add(chunk)
        files.append(file.as_json())
    return {"fields": fields, "files": files}


class ArrivingFile:
    """What is known of a file, so far."""

    def __init__(self, part):
        self.name = secure_filename(part.filename)
        self.type = part.content_type
        self.size = self.chunks = 0
        self._digest = hashlib.sha256()

    def add(self, chunk):
        self.size += len(chunk)
        self.chunks += 1
        self._digest.update(chunk)

    def as_json(self):
        return {
            "name": self.name,
            "type": self.type,
            "size": self.size,
            "chunks": self.chunks,
            "sha256": self._digest.hexdigest(),
        }


@app.errorhandler(413)
def too_large(error):
    return {"error": "That is more than this server takes."}, 413


@app.errorhandler(400)
def broken(error):
    return {"error": error.description}, 400
