import Broker
import Model

/// Entries of status streams by what they hold.
struct SortedEntries: Equatable {
    struct Halt: Equatable {
        var mailing: MailingID
        var request: MailingHalt
    }

    var results: [ResultGroup] = []
    var events: [EventGroup] = []
    /// Mailings that a worker asks to be paused.
    var halts: [Halt] = []
    /// Entries that somebody could not read.
    var letters: [DeadLetter]

    init(_ entries: [StatusStreams.Entry]) { self.init(entries.compactMap(\.payload), letters: entries.compactMap(\.letter)) }

    init(_ payloads: [StatusStreams.Payload], letters: [DeadLetter]) {
        self.letters = letters
        for payload in payloads {
            switch payload {
            case .results(let group): results.append(group)
            case .events(let group): events.append(group)
            // Many groups may meet one refusal.
            case .halt(let mailing, let request):
                if !halts.contains(where: { $0.mailing == mailing }) { halts.append(Halt(mailing: mailing, request: request)) }
            }
        }
    }
}
