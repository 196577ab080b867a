import Foundation

/// Standard input, output and error as every command needs them.
enum StandardStreams {
    /// Opens streams that were closed at the start: a file with their number, such as the ledger's lock, would receive the output. A reader
    /// that closes its end causes an error of the write, and no signal.
    static func secure() {
        for descriptor in 0...2 as ClosedRange<Int32> where fcntl(descriptor, F_GETFD) == -1 {
            // The lowest number that is free.
            _ = open("/dev/null", descriptor == 0 ? O_RDONLY : O_WRONLY)
        }
        signal(SIGPIPE, SIG_IGN)
    }
}
