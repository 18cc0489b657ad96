"""Accounts: register, log in, log out, and views that are for people with an account."""

import functools
import sqlite3

from flask import Blueprint, abort, flash, g, redirect, render_template, request, session, url_for
from werkzeug.security import check_password_hash, generate_password_hash

from .db import get_db

bp = Blueprint("auth", __name__, url_prefix="/auth")


@bp.before_app_request
def load_logged_in_user():
    """Let `g.user` be who sends this request, or None."""
    g.user = None
    if "user_id" in session:
        g.user = get_db().execute("SELECT id, name FROM user WHERE id = ?", (session["user_id"],)).fetchone()


def login_required(view):
    """Send who is not logged in to the page where that can be changed, instead of to `view`."""

    @functools.wraps(view)
    def guarded(**values):
        if g.user is not None:
            return view(**values)
        if request.method != "GET":
            abort(401, "You are not logged in, or not any more.")
        flash("Log in first, please.")
        return redirect(url_for("auth.login"))

    return guarded


@bp.get("/register")
def register():
    return render_template("auth/register.html")


@bp.post("/register")
def create_account():
    name, password = request.form["name"].strip(), request.form["password"]
    if not name:
        return refuse("register", "You need a name.")
    if len(password) < 8:
        return refuse("register", "A password needs eight characters at least.")
    db = get_db()
    try:
        with db:
            values = (name, generate_password_hash(password))
            db.execute("INSERT INTO user (name, password_hash) VALUES (?, ?)", values)
    except sqlite3.IntegrityError:
        return refuse("register", f"Somebody else is called {name} already.")
    flash(f"Welcome, {name}. Now you can log in.")
    return redirect(url_for("auth.login"))


@bp.get("/login")
def login():
    return render_template("auth/login.html")


@bp.post("/login")
def begin_session():
    found = get_db().execute("SELECT * FROM user WHERE name = ?", (request.form["name"].strip(),)).fetchone()
    if found is None or not check_password_hash(found["password_hash"], request.form["password"]):
        return refuse("login", "That name and that password don't belong together.")
    session.clear()
    session["user_id"] = found["id"]
    flash(f"Hello, {found['name']}.")
    return redirect(url_for("blog.index"))


@bp.post("/logout")
def logout():
    session.clear()
    flash("You are logged out.")
    return redirect(url_for("blog.index"))


def refuse(form, reason):
    """Show a form once more and say what is wrong with what was sent."""
    flash(reason, "error")
    return render_template(f"auth/{form}.html"), 422
