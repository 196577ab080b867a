import Model
import Policy

extension SQLLedger {
    /// The writing of results within one transaction: batches are read when a result of theirs comes first, and stored with
    /// all counters at the end.
    struct ResultWriting {
        struct Batch {
            var id: BatchID
            /// As it was read.
            var before: BatchProgress
            var progress: BatchProgress
            var mailing: Int
        }

        let db: any SQLTransaction
        /// Nil where nobody is suppressed: only new results say whom to.
        private let rules: SuppressionRules?
        /// Milliseconds since 1970.
        let now: Int64
        var batches: [Batch] = []
        private(set) var batchIndex: [BatchID: Int] = [:]
        var mailings: [MailingChanges] = []
        private var mailingIndex: [MailingID: Int] = [:]
        var summary = WriteSummary()
        /// Whose groups were written.
        private var dispatches: Set<Dispatch> = []
        /// Mailings of which a message was accepted that nobody waited for any more.
        private var accepted: Set<MailingID> = []
        /// The providers whose receipts are expected; nil before it was asked.
        var expected: Set<String>?
        /// Bounces and complaints, by the batches of their messages, with the time of one whose result has not come.
        var returned: [(batch: BatchID, kind: BrakeFinding.Kind, at: Int64)] = []
        /// Rows by which providers' receipts are found.
        var references: [[any SQLConvertible]] = []
        /// The provider of the group that is taken; empty for news.
        private var provider = ""
        /// Recipients who were refused for their own sake.
        private var bounces: [Bounce] = []
        /// Recipients who had failed and have their message.
        private var arrived: [DeliveryAddresses.Place] = []
        /// Where the newest rounds of recipients begin, of batches of which something came late.
        private var beginnings: [BatchID: [Int: RoundBeginning]] = [:]
        /// Recipients that moved into a state, by rank.
        private var moved = [Int](repeating: 0, count: RecipientState.allCases.count)

        /// - Parameter rules: for how long those are suppressed who are refused.
        init(_ db: any SQLTransaction, suppressing rules: SuppressionRules? = nil, now: Int64) {
            (self.db, self.rules, self.now) = (db, rules, now)
        }

        mutating func add(_ groups: [ResultGroup]) throws {
            try load(groups.map(\.batch))
            var checked: [ResultGroup] = []
            for group in groups {
                guard let group = try check(group) else { continue }
                if group.results.contains(where: Self.isLate) {
                    // The list comes first: it decides what a result becomes.
                    try take(checked)
                    checked = []
                    try take([capped(group)])
                } else {
                    checked.append(group)
                }
            }
            try take(checked)
        }

        /// What can be taken of a group; nil for nothing.
        private mutating func check(_ group: ResultGroup) throws -> ResultGroup? {
            var group = group
            guard let index = batchIndex[group.batch] else {
                summary.unknown += 1
                return nil
            }
            guard group.dispatchNumber >= 0, group.sequence >= 0, group.groups >= 0 else {
                summary.invalid += 1
                return nil
            }
            let sound = group.results.filter { Self.isSound($0, count: batches[index].progress.states.count) }
            if sound.count < group.results.count {
                summary.invalid += 1
                group.results = sound
                group.isPartial = true
            }
            group.results = try group.results.map { try timely($0, group.batch.mailing) }
            return group
        }

        private mutating func take(_ groups: [ResultGroup]) throws {
            for (group, isNew) in zip(groups, try log(groups)) { try take(group, isNew: isNew) }
        }

        private mutating func take(_ group: ResultGroup, isNew: Bool) throws {
            guard let index = batchIndex[group.batch] else { return }
            dispatches.insert(Dispatch(batch: group.batch, dispatchNumber: group.dispatchNumber))
            provider = group.provider
            defer { provider = "" }
            if isNew {
                if group.dispatchNumber < batches[index].progress.dispatchNumber { summary.late += 1 }
                try note(group)
                for result in group.results {
                    if result.state == .uncertain, try !list(result, group) { continue }
                    if try isOfEarlierRound(result, group, index) { continue }
                    if try isOfBounced(result, group.batch, index) {
                        batches[index].progress.note(result, dispatchNumber: group.dispatchNumber)
                        continue
                    }
                    guard let old = batches[index].progress.apply(result, dispatchNumber: group.dispatchNumber) else { continue }
                    try move(result, from: old, batches[index].id, batches[index].mailing)
                    if result.state == .failed, old != .failed { noteRefused(result, batches[index].mailing) }
                    if result.state == .failed || result.state == .expired, old != result.state { note(bounce: result, group.batch) }
                }
            } else {
                // The closing one of two copies may come second.
                summary.duplicates += 1
            }
            batches[index].progress.take(group.closing, of: group.dispatchNumber, groups: group.groups)
        }

        /// Whether a result is of a round before that of its recipient, and says nothing of that. What the current dispatch awaits is not
        /// looked up.
        private mutating func isOfEarlierRound(_ result: RecipientResult, _ group: ResultGroup, _ index: Int) throws -> Bool {
            guard result.state.rank < RecipientState.sent.rank, result.state != .uncertain else { return false }
            let progress = batches[index].progress
            if progress.dispatchNumber == group.dispatchNumber, progress.isAwaited(result.index) { return false }
            return try beginning(group.batch, result.index)?.isBehind(result, dispatchNumber: group.dispatchNumber) == true
        }

        /// Where the newest round of a recipient begins; nil for one of the first round.
        mutating func beginning(_ batch: BatchID, _ index: Int) throws -> RoundBeginning? {
            if let known = beginnings[batch] { return known[index] }
            let found = try RoundBeginning.all(db, batch)
            beginnings[batch] = found
            return found[index]
        }

        /// Puts the recipient of an uncertain result on the list.
        /// - Returns: false for one of whom a person has decided since: the decision stands.
        private func list(_ result: RecipientResult, _ group: ResultGroup) throws -> Bool {
            let entry = UncertainEntry(
                dispatchNumber: group.dispatchNumber, worker: group.worker, at: result.at, why: result.response?.text ?? "",
                isHeld: !result.isListing, missed: result.response?.missed)
            return try entry.store(db, group.batch, result.index) || result.isListing
        }

        /// Results come through Redis, to which other programs may write.
        private static func isSound(_ result: RecipientResult, count: Int) -> Bool {
            (0..<count).contains(result.index) && WireLimit.time.contains(result.at) && WireLimit.time.contains(result.due)
                && WireLimit.count.contains(Int64(result.attempts))
        }

        /// A recipient that is reported as expired too early, by the time of the ledger, is sent to after all.
        private mutating func timely(_ result: RecipientResult, _ mailing: MailingID) throws -> RecipientResult {
            guard result.state == .expired else { return result }
            let expires = try db.one(Int64.self, "SELECT started + lifetime FROM mailing WHERE id = ?", [mailing.description])
            guard result.isEarly(expires: expires, now: now) else { return result }
            summary.early += 1
            var result = result
            result.state = .deferred
            result.due = now
            return result
        }

        /// Adds groups to the log, or in place of those of which not all results could be read.
        /// - Returns: false for each that is there already.
        private func log(_ groups: [ResultGroup]) throws -> [Bool] {
            let written = try db.runAll(
                """
                INSERT INTO result (mailing, batch, dispatch, worker, sequence, base, data, counted, provider, partial)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (mailing, batch, dispatch, worker, sequence) DO UPDATE SET base = excluded.base, data = excluded.data,
                    counted = CASE WHEN result.counted = 1 THEN 1 ELSE excluded.counted END, partial = 0
                    WHERE result.partial = 1 AND excluded.partial = 0
                """, groups.map(Self.row))
            // Redis counted the copy.
            try db.runAll(
                "UPDATE result SET counted = 1 WHERE mailing = ? AND batch = ? AND dispatch = ? AND worker = ? AND sequence = ?",
                zip(groups, written).filter { $0.groups > 0 && $1 == 0 }.map { Array(Self.row($0.0).prefix(5)) })
            return written.map { $0 == 1 }
        }

        private static func row(_ group: ResultGroup) -> [any SQLConvertible] {
            let base = group.results.map(\.at).min() ?? 0
            return [
                group.batch.mailing.description, group.batch.number, group.dispatchNumber, group.worker, group.sequence, base,
                String(decoding: group.results.encoded(base: base), as: UTF8.self), group.groups > 0, group.provider, group.isPartial,
            ]
        }

        /// Reads the batches that are not read yet, in the one order in which all transactions lock them.
        mutating func load(_ ids: [BatchID]) throws {
            let ids = Set(ids).filter { batchIndex[$0] == nil }.sorted { ($0.mailing, $0.number) < ($1.mailing, $1.number) }
            for (id, found) in zip(ids, try BatchProgress.loadAll(db, ids)) {
                guard let progress = found else { continue }
                batchIndex[id] = batches.count
                batches.append(Batch(id: id, before: progress, progress: progress, mailing: mailing(id.mailing)))
            }
        }

        mutating func mailing(_ id: MailingID) -> Int {
            if let index = mailingIndex[id] { return index }
            mailings.append(MailingChanges(id: id))
            mailingIndex[id] = mailings.count - 1
            return mailings.count - 1
        }

        /// Keeps counters, recipient errors and timeline in step with a recipient that moves.
        /// - Parameter wasSent: the timeline counts it as sent already.
        mutating func move(
            _ result: RecipientResult, from old: RecipientState, _ batch: BatchID, _ mailing: Int, wasSent: Bool = false
        ) throws {
            let before = RecipientMove.needsError(old) ? try LastError.load(db, batch, result.index) : nil
            guard let move = RecipientMove(result, from: old, error: before) else { return }
            if let cause = move.uncounted { mailings[mailing].failures.add(try id(of: cause, result, mailing), -1) }
            switch move.error {
            case .none: break
            case .remove: try LastError.remove(db, batch, result.index)
            case .store(let cause, let at, let due, let attempts):
                let failure = try id(of: cause, result, mailing)
                let held = due > 0 ? result.doubt?.rawValue ?? 0 : 0
                try LastError(at: at, due: due, attempts: attempts, failure: failure, held: held).store(db, batch, result.index)
                if move.isCounted { mailings[mailing].failures.add(failure, 1) }
            }
            if let at = move.unfailed { mailings[mailing].count(at, failed: -1) }
            if let at = move.failed { mailings[mailing].count(at, failed: 1) }
            if let at = move.deferred { mailings[mailing].count(at, deferred: 1) }
            if let at = move.sent, !wasSent { mailings[mailing].count(at, sent: 1) }
            if result.state == .deferred, result.doubt == .beforeAcceptance { summary.refused.insert(mailings[mailing].id) }
            guard move.isMove else { return }
            if old == .skipped { try SuppressionCheck.remove(db, batch, result.index) }
            if result.state == .skipped { try SuppressionCheck.store(db, batch, result.index, result.response?.text ?? "", at: result.at) }
            if old == .failed, result.state.rank >= RecipientState.sent.rank {
                arrived.append(DeliveryAddresses.Place(batch: batch, index: result.index))
            }
            if old.isTerminal, result.state == .sent || result.state == .delivered { accepted.insert(batch.mailing) }
            mailings[mailing].moves[old.rank] -= 1
            mailings[mailing].moves[result.state.rank] += 1
            moved[result.state.rank] += 1
            try db.tell(result, of: batch, provider: provider)
        }

        /// The number of the response that a cause names.
        private mutating func id(of cause: RecipientMove.Cause, _ result: RecipientResult, _ mailing: Int) throws -> Int64 {
            switch cause {
            case .known(let id): id
            case .result: try mailings[mailing].failures.id(db, result.response)
            case .neverTried: try mailings[mailing].failures.id(db, .neverTried)
            }
        }

        /// Stores what changed.
        mutating func finish() throws -> WriteSummary {
            for index in batches.indices {
                if try isOver(index) {
                    batches[index].progress.close()
                    summary.closed.append(batches[index].id)
                }
            }
            // A new due time of a deferral has to be stored even where nothing packed has changed.
            let changed = batches.filter { $0.progress != $0.before || $0.progress.count(of: .deferred) > 0 }
            try BatchProgress.storeAll(db, changed.map { ($0.id, $0.progress) })
            for dispatch in dispatches {
                guard let index = batchIndex[dispatch.batch] else { continue }
                let progress = batches[index].progress
                if !progress.isDispatched || progress.dispatchNumber != dispatch.dispatchNumber { summary.over.insert(dispatch) }
            }
            try storeReferences()
            try countReturned()
            for mailing in mailings { try mailing.store(db) }
            for id in accepted { try SQLLedger.noteLateAcceptance(db, id, now: now) }
            for mailing in Set(summary.closed.map(\.mailing)) { try SQLLedger.settle(db, mailing) }
            try storeBounces()
            for state in RecipientState.allCases where moved[state.rank] > 0 { summary.moved[state] = moved[state.rank] }
            return summary
        }

        /// Comes last: the row of the list, for which others wait, is locked after those of mailings, as in all other transactions.
        /// A provider's answer is no order, and has no audit entry. Mailings that are planned already do not look for it: each would cost
        /// them a look at the addresses of all further batches.
        private mutating func storeBounces() throws {
            if let rules { _ = try SQLLedger.suppress(db, bounces, rules, nil, isNews: false, now: now) }
            summary.unsuppressed = try SQLLedger.liftBounces(db, of: arrived, now: now)
        }

        private mutating func note(bounce result: RecipientResult, _ batch: BatchID) {
            guard let kind = BounceKind(result), let reason = result.response?.reason else { return }
            let place = DeliveryAddresses.Place(batch: batch, index: result.index)
            bounces.append(Bounce(place: place, kind: kind, reason: reason, provider: provider, at: result.at))
        }

        /// Whether all is known of the batch's dispatch that will be. Recipients whose results could not be read are on the list of the
        /// uncertain then.
        private mutating func isOver(_ index: Int) throws -> Bool {
            let (id, progress) = (batches[index].id, batches[index].progress)
            if let isOver = progress.isOver { return isOver }
            let rows = try db.rows(
                "SELECT count(*), max(partial) FROM result WHERE mailing = ? AND batch = ? AND dispatch = ? AND counted = 1",
                [id.mailing.description, id.number, progress.dispatchNumber])
            guard let row = try rows.next() else { return false }
            let isPartial = try row.read(1) as Bool? ?? false
            guard progress.isOver(known: try row.read(0), isPartial: isPartial) else { return false }
            if isPartial {
                let why = "the result of its attempt could not be read (flotilla dead list)"
                try SQLLedger.listAwaited(db, id, &batches[index].progress, why: why, now: now)
            }
            return true
        }
    }
}
