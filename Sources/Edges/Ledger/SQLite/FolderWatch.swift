import Glibc

/// The events of some files of one folder, by inotify(7). Writes to other files of the folder, such as a log, wake nobody.
final class FolderWatch {
    /// What happened since the last call of `events`.
    struct Events {
        /// One of the files was written to or truncated.
        var isModified = false
        /// Those of the files that were made in the folder or moved into it.
        var arrived: Set<String> = []
        /// The kernel dropped events: anything may have happened.
        var isIncomplete = false
        /// The folder is gone or was moved, and no further events come.
        var isOver = false
    }

    /// Becomes readable when there are events.
    let descriptor: Int32

    private let folder: String
    private let names: Set<String>
    /// The kernel's number for the folder.
    private let watch: Int32

    /// - Parameter names: the files of the folder to watch; they need not be there yet.
    /// - Throws: `WatchError` where the kernel has no inotify, or no more of it for this user.
    init(folder: String, names: Set<String>) throws(WatchError) {
        self.folder = folder
        self.names = names
        descriptor = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
        guard descriptor >= 0 else { throw WatchError(call: "inotify_init1", number: errno) }
        watch = inotify_add_watch(descriptor, folder, UInt32(IN_CREATE | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF))
        guard watch >= 0 else {
            let number = errno
            close(descriptor)
            throw WatchError(call: "inotify_add_watch", number: number)
        }
        for name in names where !follow(name) {
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
                parse(UnsafeRawBufferPointer(rebasing: buffer[..<count]), into: &events)
            }
        }
        // A name that arrived is another file, which the kernel has not been asked to watch.
        for name in events.arrived where !follow(name) { events.isOver = true }
        return events
    }

    /// Asks the kernel for the writes to the file that has the name now; where there is none, its arrival is an event of the folder.
    /// - Returns: false where the kernel cannot watch it.
    private func follow(_ name: String) -> Bool {
        inotify_add_watch(descriptor, folder + "/" + name, UInt32(IN_MODIFY)) >= 0 || errno == ENOENT
    }

    /// Reads `struct inotify_event` records: watch, mask, cookie and length of 32 bits each, then a name padded with zeros.
    private func parse(_ bytes: UnsafeRawBufferPointer, into events: inout Events) {
        let header = 16
        var offset = 0
        while offset + header <= bytes.count {
            let number = bytes.loadUnaligned(fromByteOffset: offset, as: Int32.self)
            let mask = Int(bytes.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self))
            let length = Int(bytes.loadUnaligned(fromByteOffset: offset + 12, as: UInt32.self))
            let end = min(offset + header + length, bytes.count)
            let name = String(decoding: bytes[(offset + header)..<end].prefix { $0 != 0 }, as: UTF8.self)
            if mask & Int(IN_MODIFY) != 0 { events.isModified = true }
            if mask & Int(IN_CREATE | IN_MOVED_TO) != 0, names.contains(name) { events.arrived.insert(name) }
            if mask & Int(IN_Q_OVERFLOW) != 0 { events.isIncomplete = true }
            if number == watch, mask & Int(IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED) != 0 { events.isOver = true }
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
