import Foundation
import Synchronization

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Ends whatever a run leaves behind. It is a shell beside the run that knows its processes, waits for the end of a pipe that the run
/// alone holds open, and then kills whatever is left. So they end with the run, however that ends.
final class ProcessGuard: Sendable {
    /// The writing end of the pipe.
    private let line: Mutex<Int32?>
    private let shell: Mutex<ChildProcess?>

    /// Signals do not end it before it has ended the others. A process that is being killed may still write a file: hence
    /// the second removal.
    private static let script = """
        trap '' HUP INT TERM
        folder=$1
        children=
        while read -r sign pid; do
            case $sign in
                +) children="$children $pid" ;;
                -) rest=; for child in $children; do [ "$child" = "$pid" ] || rest="$rest $child"; done; children=$rest ;;
                keep) folder= ;;
            esac
        done
        [ -z "$children" ] || kill -KILL $children
        [ -z "$folder" ] || /bin/rm -rf "$folder"
        [ -z "$children" ] || /bin/sleep 1
        [ -z "$folder" ] || /bin/rm -rf "$folder"
        """

    /// - Parameters:
    ///   - folder: what is removed when the run has ended.
    ///   - errors: the file for the shell's errors.
    init(removing folder: String, errors: String) throws(RunFailure) {
        var ends: [Int32] = [-1, -1]
        guard Foundation.pipe(&ends) == 0 else {
            throw RunFailure("no pipe can be made: \(String(cString: strerror(errno)))")
        }
        // A child that held the writing end would keep the shell from seeing our end.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        line = Mutex(ends[1])
        shell = Mutex(nil)
        defer { close(ends[0]) }
        let process = try ChildProcess(
            "/bin/sh", ["-c", Self.script, "loadtest-guard", folder], environment: ProcessInfo.processInfo.environment,
            output: "/dev/null", errors: errors, input: ends[0], processGuard: nil)
        shell.withLock { $0 = process }
    }

    func watch(_ pid: pid_t) { tell("+ \(pid)") }

    func forget(_ pid: pid_t) { tell("- \(pid)") }

    /// The folder stays.
    func keepFolder() { tell("keep") }

    /// Ends the shell, which kills what it still knows of and removes the folder unless that is kept.
    func end() async {
        line.withLock { end in
            if let end { close(end) }
            end = nil
        }
        _ = await shell.withLock { $0 }?.end(within: 10)
    }

    private func tell(_ text: String) {
        line.withLock { end in
            guard let end else { return }
            let bytes = Array("\(text)\n".utf8)
            _ = write(end, bytes, bytes.count)
        }
    }
}
