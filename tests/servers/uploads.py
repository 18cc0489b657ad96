"""The application of test_uploads.py: every way to read a large form."""

from flaskctx import Flask, request

app = Flask(__name__)


@app.get("/ready")
def ready():
    return "ready"


@app.post("/def/parts", stream=True)
def parts():
    size = 0
    for part in request.multipart():
        for chunk in part:
            size += len(chunk)
    return {"size": size}


@app.post("/async/parts", stream=True)
async def async_parts():
    size = 0
    async for part in request.multipart():
        async for chunk in part:
            size += len(chunk)
    return {"size": size}


def files():
    return {"size": request.files["file"].stream.seek(0, 2)}


async def async_files():
    return files()


app.post("/def/files", endpoint="files")(files)
app.post("/async/files")(async_files)
