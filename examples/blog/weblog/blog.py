"""Posts: everybody reads and searches them, their authors write, edit and delete them."""

from contextlib import closing

from anyio.to_thread import run_sync
from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for

from .auth import login_required
from .db import connect, get_db

bp = Blueprint("blog", __name__)

POSTS = "SELECT post.id, author_id, name AS author, written, title, body FROM post JOIN user ON user.id = author_id"

PAGE = 10
"""Posts on a page."""

MOST_WORDS = 10
"""Words that a search may have."""


@bp.get("/")
def index():
    page = max(request.args.get("page", 1, type=int), 1)
    limits = (PAGE + 1, (page - 1) * PAGE)
    posts = get_db().execute(f"{POSTS} ORDER BY post.id DESC LIMIT ? OFFSET ?", limits).fetchall()
    return render_template("blog/index.html", posts=posts[:PAGE], page=page, more=len(posts) > PAGE)


@bp.get("/<int:id>")
def show(id):
    return render_template("blog/post.html", post=get_post(id))


@bp.get("/search")
async def search():
    """Show the posts in which all the words stand."""
    words = request.args.get("q", "").split()[:MOST_WORDS]
    # The event loop must not wait for the disk, and the connection in `g` belongs to the thread of the `def`
    # functions. So this looks with a connection of its own, in a thread of its own.
    posts = await run_sync(find, words) if words else []
    return render_template("blog/search.html", posts=posts, words=words)


def find(words):
    """Return the posts in which all of `words` stand, newest first."""
    conditions = " AND ".join(["instr(lower(title || ' ' || body), lower(?))"] * len(words))
    with closing(connect()) as db:
        return db.execute(f"{POSTS} WHERE {conditions} ORDER BY post.id DESC", words).fetchall()


@bp.get("/write")
@login_required
def write():
    return render_template("blog/form.html", post=None)


@bp.post("/write")
@login_required
def create():
    title, body = what_was_written()
    if not title:
        return refuse_untitled(None)
    with get_db() as db:
        values = (g.user["id"], title, body)
        created = db.execute("INSERT INTO post (author_id, title, body) VALUES (?, ?, ?)", values)
    flash("Your post is published.")
    return redirect(url_for("blog.show", id=created.lastrowid))


@bp.get("/<int:id>/edit")
@login_required
def edit(id):
    return render_template("blog/form.html", post=get_own_post(id))


@bp.post("/<int:id>/edit")
@login_required
def update(id):
    post = get_own_post(id)
    title, body = what_was_written()
    if not title:
        return refuse_untitled(post)
    with get_db() as db:
        db.execute("UPDATE post SET title = ?, body = ? WHERE id = ?", (title, body, id))
    flash("Your changes are saved.")
    return redirect(url_for("blog.show", id=id))


@bp.post("/<int:id>/delete")
@login_required
def delete(id):
    post = get_own_post(id)
    with get_db() as db:
        db.execute("DELETE FROM post WHERE id = ?", (id,))
    flash(f"{post['title']} is deleted.")
    return redirect(url_for("blog.index"))


def get_post(id):
    """Return a post; 404 if there is none of this number."""
    post = get_db().execute(f"{POSTS} WHERE post.id = ?", (id,)).fetchone()
    if post is None:
        abort(404, f"There is no post number {id}.")
    return post


def get_own_post(id):
    """Return a post of who is logged in; 403 if it is somebody else's."""
    post = get_post(id)
    if post["author_id"] != g.user["id"]:
        abort(403, f"Only {post['author']} may change this post.")
    return post


def what_was_written():
    """Return title and body as they were sent."""
    return request.form["title"].strip(), request.form["body"].strip()


def refuse_untitled(post):
    """Show the form once more, with all that was written in it."""
    flash("A post needs a title.", "error")
    return render_template("blog/form.html", post=post), 422
