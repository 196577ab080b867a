import Foundation
import Synchronization
import Text

/// The exclusive leadership on a ledger, held by one process at a time through `flock(2)` on PATH.lock, from `acquire` to
/// `release` or the end of the process, however it ends.
package final class LedgerLock: Sendable {
    private let descriptor: Mutex<Int32?>

    private init(descriptor: Int32) { self.descriptor = Mutex(descriptor) }

    /// Takes the leadership, without waiting.
    /// - Throws: `LedgerError.held` naming the process that has it; `LedgerError.unwritable`.
    package static func acquire(ledger path: String) throws(LedgerError) -> LedgerLock {
        // Whatever link leads to the ledger, its lock is one.
        let file = RealPath.of(path) + ".lock"
        // Close-on-exec: a child (the private Redis) must not keep the leadership after its parent's death. A link that somebody planted
        // in the folder is not followed, and of two hard links one is a stranger's: the file is emptied below.
        let descriptor = PrivateFile.openOrCreate(file, flags: O_RDWR | O_NOFOLLOW | O_NONBLOCK).descriptor
        guard descriptor >= 0 else {
            let reason = errno == ELOOP ? "is a symbolic link; remove it" : String(cString: strerror(errno))
            throw .unwritable(path: path, detail: "\(file): " + reason)
        }
        guard let status = FileStatus(descriptor: descriptor), status.kind == .regular, status.links <= 1 else {
            close(descriptor)
            throw .unwritable(path: path, detail: "\(file) is no file of its own; remove it")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let reason = errno
            let pid = holder(descriptor)
            close(descriptor)
            if reason == EWOULDBLOCK { throw .held(path: path, pid: pid) }
            throw .unwritable(path: path, detail: "\(file): " + String(cString: strerror(reason)))
        }
        // Whoever removed an unused ledger has removed its lock too: this one is at no path, and another process would take a new one.
        guard FileStatus(path: file, followsLinks: false)?.identity == status.identity else {
            close(descriptor)
            return try acquire(ledger: path)
        }
        // The pid is for people only; a full disk must not keep the leadership from being taken.
        let text = Array("\(getpid())\n".utf8)
        _ = ftruncate(descriptor, 0)
        _ = pwrite(descriptor, text, text.count, 0)
        return LedgerLock(descriptor: descriptor)
    }

    /// Gives the leadership back; further calls do nothing.
    package func release() {
        descriptor.withLock { descriptor in
            if let open = descriptor {
                // A child that is between fork and exec has the descriptor too: closing ours alone would leave the lock with it.
                flock(open, LOCK_UN)
                close(open)
            }
            descriptor = nil
        }
    }

    deinit { release() }

    private static func holder(_ descriptor: Int32) -> Int32? {
        var buffer = [UInt8](repeating: 0, count: 16)
        let count = pread(descriptor, &buffer, buffer.count, 0)
        guard count > 0 else { return nil }
        return Int32(String(decoding: buffer[..<count], as: UTF8.self).prefix { $0.isNumber })
    }
}

/// Tries again and again to take the lock of a ledger, and keeps it once it has it.
package final class LockHolder: Sendable {
    private let ledger: String
    private let lock: Mutex<LedgerLock?>
    private let isNews: Mutex<Bool>

    /// - Parameter held: the lock, where it is held already.
    package init(ledger: String, held: LedgerLock? = nil) {
        self.ledger = ledger
        lock = Mutex(held)
        isNews = Mutex(held != nil)
    }

    /// Takes the lock if it is free.
    /// - Returns: whether it became ours since the last call: whoever had it before has ended.
    package func tryLock() -> Bool {
        lock.withLock { lock in
            if lock == nil {
                lock = try? LedgerLock.acquire(ledger: ledger)
                return lock != nil
            }
            return isNews.withLock { isNews in
                defer { isNews = false }
                return isNews
            }
        }
    }
}
