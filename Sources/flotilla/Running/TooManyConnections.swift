import Model
import Telemetry

/// A provider's `connections` are more than this process may open.
struct TooManyConnections: Error, CustomStringConvertible {
    let provider: String
    let connections: Int
    /// Connections that the process may open, and the descriptors that it may open for all it does.
    let possible: Int
    let limit: Int

    var description: String {
        """
        providers.\(provider).connections is \(connections), but this process may open \(limit) files, which leaves \(possible) \
        connections to providers: lower it, or raise the limit (ulimit -n, or LimitNOFILE of the systemd unit)
        """
    }

    /// - Parameter possible: connections to providers for which the process has descriptors.
    /// - Throws: the first, by name, of the providers that ask for more. The default asks for nothing: it is lowered where it must be.
    static func check(_ providers: some Sequence<Provider>, possible: Int, limit: Int = OpenFiles.limit) throws(TooManyConnections) {
        let most = max(possible, Provider.defaultConnections)
        guard let first = providers.filter({ $0.connections > most }).min(by: { $0.name < $1.name }) else { return }
        throw TooManyConnections(provider: first.name, connections: first.connections, possible: possible, limit: limit)
    }
}
