/// Replies by which a server says that it is not the one to work with, or not now: a replica, a master that was demoted or has lost its
/// replicas, a server that reads its data or cannot write them. Another server may have taken its place under the same name, so that
/// the connection is opened anew; while none has, that is tried less and less often.
enum UnfitServer {
    private static let codes = ["READONLY", "MASTERDOWN", "LOADING", "NOREPLICAS", "MISCONF", "CLUSTERDOWN"]

    /// Whether an error reply says so. Before version 7 Redis puts an error of a command behind that of the script.
    static func speaks(in reply: String) -> Bool {
        codes.contains { reply.hasPrefix($0 + " ") || reply.contains("-\($0) ") } || reply.contains(demoted)
    }

    /// Whether it says that it works and can do no more just now: a script of somebody keeps it busy, or its memory or its connections are
    /// used up. The connection is as good as another.
    static func isOverloaded(_ reply: String) -> Bool {
        reply.hasPrefix("BUSY ") || reply.hasPrefix("OOM ") || reply.contains("-OOM ") || reply.contains("max number of clients")
    }

    /// Of a read that blocks (UNBLOCKED).
    private static let demoted = "instance state changed"
}
