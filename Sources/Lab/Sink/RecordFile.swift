import Logging
import Synchronization
import Text

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The file to which lines are appended. Lines are gathered and written together; each is written whole, and none is
/// lost but those gathered when the process is killed.
final class RecordFile: Sendable {
    private struct State {
        var gathered: [UInt8] = []
        /// Of what is gathered: the bytes that the file already has, after a write that was cut short.
        var written = 0
        var descriptor: Int32
        var failure: Int32 = 0
    }

    private let state: Mutex<State>
    private let failing = Atomic(false)
    private let path: String
    private let logger: Logger
    /// Gathered bytes at which they are written.
    private static let limit = 1 << 16

    /// Opens the file, or makes it.
    /// - Throws: `SinkError` when it cannot be opened for appending, and when it is another kind of file.
    init(path: String, logger: Logger) throws(SinkError) {
        self.path = path
        self.logger = logger
        guard Self.mayAppend(to: path) else {
            throw SinkError("the record file \(path) is there already, and is no record; name another file")
        }
        let (descriptor, tightened) = PrivateFile.openOrCreate(path, flags: O_RDWR | O_APPEND)
        guard descriptor >= 0 else {
            throw SinkError("cannot open the record file \(path): \(String(cString: strerror(errno)))")
        }
        if let tightened {
            logger.notice("the record file \(path) had the rights \(PrivateFile.text(tightened)), and holds addresses; it has 0600 now")
        }
        var state = State(descriptor: descriptor)
        state.gathered.reserveCapacity(Self.limit * 2)
        // A run that ended on a full disk may have left half a line: it gets an end, so that new lines begin by themselves.
        let end = lseek(descriptor, 0, SEEK_END)
        var last: UInt8 = 0
        if end > 0, pread(descriptor, &last, 1, end - 1) == 1, last != Byte.lf { state.gathered.append(Byte.lf) }
        self.state = Mutex(state)
    }

    /// There is no such file, it is empty or no regular file, or it begins as a record does: with two times.
    private static func mayAppend(to path: String) -> Bool {
        guard let found = FileStatus(path: path), found.kind == .regular, found.size > 0 else { return true }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        // That it cannot be opened is said when it is opened for writing.
        guard descriptor >= 0 else { return true }
        var head = [UInt8](repeating: 0, count: 64)
        let count = pread(descriptor, &head, head.count, 0)
        #if canImport(Darwin)
            _ = Darwin.close(descriptor)
        #else
            _ = Glibc.close(descriptor)
        #endif
        let text = head.prefix(max(0, count))
        // The half line of a run that ended early.
        if text.count < head.count, !text.contains(Byte.lf) { return text.first?.isDigit == true }
        let fields = text.split(separator: Byte.tab, maxSplits: 2, omittingEmptySubsequences: false)
        return fields.count == 3 && fields[..<2].allSatisfy { !$0.isEmpty && $0.allSatisfy(\.isDigit) }
    }

    /// The file takes no more, a full disk for instance: nothing should be accepted that needs a line.
    var isFailing: Bool { failing.load(ordering: .relaxed) }

    func append(_ line: RecordLine) {
        state.withLock { state in
            line.append(to: &state.gathered)
            if state.gathered.count >= Self.limit, state.failure == 0 { write(&state) }
        }
    }

    /// Hands what is gathered to the operating system.
    /// - Returns: false when it cannot be written; it is kept, and tried again with the next call.
    @discardableResult
    func flush() -> Bool {
        state.withLock { state in
            write(&state)
            return state.failure == 0
        }
    }

    /// Writes what is left and closes the file; no line may be appended after that.
    func close() {
        state.withLock { state in
            guard state.descriptor >= 0 else { return }
            write(&state)
            #if canImport(Darwin)
                _ = Darwin.close(state.descriptor)
            #else
                _ = Glibc.close(state.descriptor)
            #endif
            state.descriptor = -1
        }
    }

    private func write(_ state: inout State) {
        guard state.descriptor >= 0 else { return }
        while state.written < state.gathered.count {
            let count = state.gathered.withUnsafeBytes { bytes in
                #if canImport(Darwin)
                    Darwin.write(
                        state.descriptor, bytes.slice(from: state.written).baseAddress, bytes.count - state.written)
                #else
                    Glibc.write(
                        state.descriptor, bytes.slice(from: state.written).baseAddress, bytes.count - state.written)
                #endif
            }
            if count < 0 {
                if errno == EINTR { continue }
                fail(&state, errno)
                return
            }
            state.written += count
        }
        state.gathered.removeAll(keepingCapacity: true)
        state.written = 0
        if state.failure != 0 {
            state.failure = 0
            failing.store(false, ordering: .relaxed)
            logger.notice("the record file \(path) can be written again")
        }
    }

    private func fail(_ state: inout State, _ code: Int32) {
        guard state.failure == 0 else { return }
        state.failure = code
        failing.store(true, ordering: .relaxed)
        logger.error(
            "cannot write the record file \(path): \(String(cString: strerror(code))); refusing messages until it can be"
        )
    }
}
