package import Broker
package import Ledger
import Model
import Policy

/// What workers report of the mailings of each lane.
package struct LaneShares {
    private var shares: [Lane: [Heartbeat.Share]] = [:]

    /// - Parameter mailings: those that are sending.
    package init(_ mailings: [WatchedMailing], _ processes: [HeartbeatStore.Sign]) {
        for mailing in mailings {
            let name = "\(mailing.id)"
            for process in processes where process.isAlive {
                if let share = process.heartbeat.mailings[name] { shares[Lane(of: mailing), default: []].append(share) }
            }
        }
    }

    func of(_ mailing: WatchedMailing) -> [Heartbeat.Share] { shares[Lane(of: mailing)] ?? [] }
}

extension Lane {
    fileprivate init(of mailing: WatchedMailing) {
        self.init(channel: mailing.channel, provider: ProviderURL.name(of: mailing.provider))
    }
}
