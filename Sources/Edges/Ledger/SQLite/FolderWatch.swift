import Glibc

/// The events of one folder, by inotify(7).
final class FolderWatch {
    /// What happened in the folder since the last call of `events`.
    struct Events {
        /// Files that were written to or truncated.
        var modified: Set<String> = []
        /// Files that were made in the folder or moved into it.
        var arrived: Set<String> = []
        /// The kernel dropped events: anything may have happened.
        var isIncomplete = false
        /// The folder is gone or was moved, and no further events come.
        var isOver = false
    }

    /// Becomes readable when there are events.
    let descriptor: Int32

    /// - Throws: `WatchError` where the kernel has no inotify, or no more of it for this user.
    init(folder: String) throws(WatchError) {
        descriptor = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
        guard descriptor >= 0 else { throw WatchError(call: "inotify_init1", number: errno) }
        let mask = IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF
        guard inotify_add_watch(descriptor, folder, UInt32(mask)) >= 0 else {
            let number = errno
            close(descriptor)
            throw WatchError(call: "inotify_add_watch", number: number)
        }
    }

    deinit { close(descriptor) }

    /// Takes all events that are there, without waiting.
    func events() -> Events {
        var events = Events()
        withUnsafeTemporaryAllocation(byteCount: 16 << 10, alignment: MemoryLayout<inotify_event>.alignment) { buffer in
            while true {
                let count = read(descriptor, buffer.baseAddress, buffer.count)
                guard count > 0 else { return }
                Self.parse(UnsafeRawBufferPointer(rebasing: buffer[..<count]), into: &events)
            }
        }
        return events
    }

    /// Reads `struct inotify_event` records: watch, mask, cookie and length of 32 bits each, then a name padded with zeros.
    private static func parse(_ bytes: UnsafeRawBufferPointer, into events: inout Events) {
        let header = 16
        var offset = 0
        while offset + header <= bytes.count {
            let mask = Int(bytes.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self))
            let length = Int(bytes.loadUnaligned(fromByteOffset: offset + 12, as: UInt32.self))
            let end = min(offset + header + length, bytes.count)
            let name = String(decoding: bytes[(offset + header)..<end].prefix { $0 != 0 }, as: UTF8.self)
            if mask & Int(IN_MODIFY) != 0 { events.modified.insert(name) }
            if mask & Int(IN_CREATE | IN_MOVED_TO) != 0 { events.arrived.insert(name) }
            if mask & Int(IN_Q_OVERFLOW) != 0 { events.isIncomplete = true }
            if mask & Int(IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED) != 0 { events.isOver = true }
            offset = end
        }
    }
}

/// A system call that a watch needs and that failed.
struct WatchError: Error, CustomStringConvertible {
    var call: String
    /// The value of `errno`.
    var number: Int32

    var description: String { "\(call): \(String(cString: strerror(number)))" }
}
