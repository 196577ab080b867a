import Foundation
import Synchronization

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A process of ours. It starts with no signal blocked and in a group of its own, so that Ctrl-C reaches the run alone, which then
/// ends the others in their order. The guard kills it when the run is killed.
final class ChildProcess: Sendable {
    private struct State {
        var status: Int32?
        var cpu: Double = 0
    }

    let pid: pid_t
    private let processGuard: ProcessGuard?
    private let state = Mutex(State())

    /// - Parameters:
    ///   - environment: all of it.
    ///   - output: the file that takes standard output, emptied before; the same for `errors`, which is appended to.
    ///   - input: a descriptor that becomes standard input; nil for none.
    /// - Throws: `RunFailure` when it cannot be started.
    init(
        _ program: String, _ arguments: [String], environment: [String: String], output: String, errors: String,
        input: Int32? = nil, processGuard: ProcessGuard?
    ) throws(RunFailure) {
        #if canImport(Darwin)
            var actions: posix_spawn_file_actions_t?
            var attributes: posix_spawnattr_t?
        #else
            var actions = posix_spawn_file_actions_t()
            var attributes = posix_spawnattr_t()
        #endif
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let input {
            posix_spawn_file_actions_adddup2(&actions, input, 0)
        } else {
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        }
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        var standard = sigset_t()
        sigemptyset(&standard)
        for signal in [SIGINT, SIGTERM, SIGPIPE, SIGHUP] { sigaddset(&standard, signal) }
        posix_spawnattr_setsigdefault(&attributes, &standard)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))
        var words = ([program] + arguments).map { strdup($0) }
        var variables = environment.map { strdup("\($0.key)=\($0.value)") }
        defer { for pointer in words + variables { free(pointer) } }
        words.append(nil)
        variables.append(nil)
        var id = pid_t()
        let code = posix_spawn(&id, program, &actions, &attributes, words, variables)
        guard code == 0 else {
            throw RunFailure("\(program) cannot be started: \(String(cString: strerror(code)))")
        }
        pid = id
        self.processGuard = processGuard
        processGuard?.watch(id)
    }

    /// How it ended: an exit status, or a signal's number below zero; nil while it runs.
    var ended: Int32? {
        state.withLock { state in
            if let status = state.status { return status }
            var word: Int32 = 0
            var usage = rusage()
            guard wait4(pid, &word, WNOHANG, &usage) == pid else { return nil }
            processGuard?.forget(pid)
            state.cpu = Self.seconds(usage.ru_utime) + Self.seconds(usage.ru_stime)
            let status = word & 0x7f == 0 ? (word >> 8) & 0xff : -(word & 0x7f)
            state.status = status
            return status
        }
    }

    var isRunning: Bool { ended == nil }

    /// CPU seconds, user and system, of all its life; nil while it runs.
    var cpuAtEnd: Double? { ended == nil ? nil : state.withLock { $0.cpu } }

    func signal(_ number: Int32) {
        if isRunning { kill(pid, number) }
    }

    /// Waits for the end of a process that ends by itself or was asked to.
    /// - Returns: whether it has ended in time. Cancellation does not cut the wait short: what was asked to end is waited for.
    func end(within seconds: Double) async -> Bool {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while isRunning {
            guard ContinuousClock.now < deadline else { return false }
            await UncancellableSleep.short()
        }
        return true
    }

    private static func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
}

/// A wait that also holds in a cancelled task.
enum UncancellableSleep {
    static func short() async {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(10)) { continuation.resume() }
        }
    }
}
