"""A small disk for the ledger that can be filled: a tmpfs in a mount namespace of our own, so that no mount outlives us."""
import ctypes, errno, os, sqlite3

libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS, MS_REC, MS_PRIVATE = 0x00020000, 0x4000, 1 << 18


def _check(result, what):
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")


class SmallDisk:
    """A tmpfs at `path`. Must be made before any thread or child of ours."""

    def __init__(self, path, megabytes):
        self.path, self.megabytes, self.mounted = path, megabytes, False
        os.makedirs(path, exist_ok=True)

    def mount(self):
        """Throws OSError where we may not mount."""
        _check(libc.unshare(CLONE_NEWNS), "a mount namespace")
        _check(libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None), "making mounts private")
        options = f"size={self.megabytes}m,mode=0700".encode()
        _check(libc.mount(b"tmpfs", os.fsencode(self.path), b"tmpfs", 0, options), "a tmpfs")
        self.mounted = True

    def unmount(self):
        if self.mounted:
            libc.umount2(os.fsencode(self.path), 2)
            self.mounted = False

    @property
    def _ballast(self):
        return os.path.join(self.path, "ballast")

    def fill(self, ledger):
        """Takes all room that is left. The ledger's write-ahead log is emptied before, so that the next write needs room."""
        try:
            db = sqlite3.connect(ledger, timeout=0.2)
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            db.close()
        except sqlite3.Error:
            pass  # somebody reads or writes at this moment: the log is full a little later
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
