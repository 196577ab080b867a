package import Model
import Text

/// What is noted beside a ledger, by which whoever finds an older copy in its place knows what that lacks.
package struct LedgerNote: Sendable, Equatable, Codable {
    /// A mailing that was added.
    package struct Added: Sendable, Equatable, Codable {
        package var id: MailingID
        /// A hash of its identity: what is equal by chance asks one question too many.
        package var identity: String
        /// For people; the beginning of a long one.
        package var name: String

        package init(_ id: MailingID, _ identity: MailingIdentity, name: String = "") {
            self.id = id
            self.name = String(name.unicodeScalars.prefix(60))
            self.identity = Self.hash(identity)
        }

        fileprivate static func hash(_ identity: MailingIdentity) -> String {
            String(identity.description.utf8.reduce(FNV.seed64) { FNV.step($0, $1) }, radix: 16)
        }
    }

    /// Mailings that are kept at most.
    static let mostMailings = 1000

    /// The ledger's identity.
    package let ledger: String
    /// Its last commit of dispatches and results, or an earlier one.
    package var commits: Int64 = 0
    /// The highest batch of each unfinished mailing that was ever dispatched, by the mailing's id. One that is missing may have been sent
    /// as a whole. Nil while more may be dispatched than is told here.
    package var reached: [String: Int]?
    /// The mailings that were added last, the newest last.
    package private(set) var mailings: [Added] = []

    package init(ledger: String) { self.ledger = ledger }

    mutating func add(_ mailing: Added) { mailings = (mailings + [mailing]).suffix(Self.mostMailings) }

    mutating func remove(_ id: MailingID) { mailings.removeAll { $0.id == id } }

    var hasNames: Bool { mailings.contains { !$0.name.isEmpty } }

    mutating func removeNames() { for place in mailings.indices { mailings[place].name = "" } }

    /// Takes less room, and is still true.
    /// - Returns: whether there was anything to leave out.
    mutating func shorten() -> Bool {
        if reached != nil {
            reached = nil
        } else if !mailings.isEmpty {
            mailings.removeFirst((mailings.count + 1) / 2)
        } else {
            return false
        }
        return true
    }

    /// The mailings of an identity, the newest last.
    func mailings(of identity: MailingIdentity) -> [MailingID] {
        let hash = Added.hash(identity)
        return mailings.filter { $0.identity == hash }.map(\.id)
    }

    /// No number is larger than every reader of it takes exactly.
    var isPossible: Bool {
        (0...(Int64(1) << 52)).contains(commits) && mailings.count <= Self.mostMailings
            && (reached ?? [:]).allSatisfy { MailingID($0.key) != nil && (0...Int(Int32.max)).contains($0.value) }
    }
}
