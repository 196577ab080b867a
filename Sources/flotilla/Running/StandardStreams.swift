import Foundation

/// Standard input, output and error as every command needs them.
enum StandardStreams {
    /// Opens those that whoever started the process has closed: a file that got their number, such as the ledger's lock, would receive what
    /// is printed. And a reader that goes away ends nothing: what is written to it is an error, and no signal.
    static func secure() {
        for descriptor in 0...2 as ClosedRange<Int32> where fcntl(descriptor, F_GETFD) == -1 {
            // The lowest number that is free.
            _ = open("/dev/null", descriptor == 0 ? O_RDONLY : O_WRONLY)
        }
        signal(SIGPIPE, SIG_IGN)
    }
}
