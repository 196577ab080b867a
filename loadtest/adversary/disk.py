"""Small disks that can be filled: each a tmpfs in a mount namespace of our own, so that no mount outlives us."""
import ctypes, errno, os, sqlite3

libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS, MS_REC, MS_PRIVATE = 0x00020000, 0x4000, 1 << 18


def _check(result, what):
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")


class SmallDisk:
    """A tmpfs at `path`. Must be mounted before any thread or child of ours."""

    _has_namespace = False

    def __init__(self, path, megabytes, owner=None):
        """`owner`: the numbers of a user and a group; ours where it is None."""
        self.path, self.megabytes, self.owner, self.mounted = path, megabytes, owner, False

    def mount(self):
        """Throws OSError where we may not mount."""
        os.makedirs(self.path, exist_ok=True)
        if not SmallDisk._has_namespace:
            _check(libc.unshare(CLONE_NEWNS), "a mount namespace")
            _check(libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None), "making mounts private")
            SmallDisk._has_namespace = True
        options = f"size={self.megabytes}m,mode=0700" + (f",uid={self.owner[0]},gid={self.owner[1]}" if self.owner else "")
        _check(libc.mount(b"tmpfs", os.fsencode(self.path), b"tmpfs", 0, options.encode()), "a tmpfs")
        self.mounted = True

    def unmount(self):
        if self.mounted:
            libc.umount2(os.fsencode(self.path), 2)
            self.mounted = False

    @property
    def _ballast(self):
        return os.path.join(self.path, "ballast")

    def fill(self):
        """Takes all room that is left; returns how many bytes that was."""
        with open(self._ballast, "wb") as file:
            step = 1 << 22
            size = 0
            while step >= 4096:
                try:
                    os.posix_fallocate(file.fileno(), size, step)
                    size += step
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    step //= 2
        return size

    def clear(self):
        try:
            os.unlink(self._ballast)
        except FileNotFoundError:
            pass


def empty_log(ledger):
    """Empties the write-ahead log of a ledger in a file, so that the next write needs room."""
    try:
        db = sqlite3.connect(ledger, timeout=0.2)
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.close()
    except sqlite3.Error:
        pass  # somebody reads or writes at this moment: the log is full a little later
