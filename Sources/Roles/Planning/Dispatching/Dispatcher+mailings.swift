import Broker
import Ledger
import Logging
import Model
import Policy
import Text

extension Dispatcher {
    /// Publishes the limits that were set at run time, when they have changed or an epoch has begun.
    func publishLimits() async throws {
        let limits = try await Dictionary(ledger.limits().map { ($0.scope.description, $0.text) }) { $1 }
        guard limits != shownLimits else { return }
        try await publishedLimits.publishLimits(limits, fencingToken: fencingToken)
        shownLimits = limits
    }

    /// Publishes mailings that are new here, and states and speeds that have changed. A mailing that is new here is reconciled first.
    func publish(_ work: [MailingWork], _ epoch: Epoch) async throws {
        let ids = Set(work.map(\.id))
        // Stopped mailings leave the ledger's list of work by themselves when nothing of them is left.
        let ended = shown.keys.filter { !ids.contains($0) }
        // In a ledger that went back in time they may have yet to be planned.
        if !ended.isEmpty, try await findCopy() { throw RedisError.epochEnded }
        for id in ended { try await remove(id) }
        newer.formIntersection(ids)
        let work = work.filter { !newer.contains($0.id) }
        let new = work.filter { shown[$0.id] == nil }
        try await reconcile(new, epoch)
        var publications: [PublishedMailings.Publication] = []
        var shows: [MailingID: Shown] = [:]
        for one in work {
            let (state, speed) = (one.state, one.speed ?? "")
            if let known = shown[one.id] {
                guard known.state != state || known.speed != speed else { continue }
                // One that was paused because its definition could not be read is published as a whole again.
                let record = state == .sending && known.state != .sending ? try await record(one) : nil
                publications.append(try await publication(one, record))
                try await say(one, was: known)
                shows[one.id] = known
                shows[one.id]?.state = state
                shows[one.id]?.speed = speed
            } else if let record = try await record(one), let channel = one.channel {
                publications.append(try await publication(one, record))
                shows[one.id] = Shown(
                    state: state, speed: speed, name: record.mailing.name,
                    lane: Lane(channel: channel, provider: ProviderURL.name(of: one.provider)),
                    lanes: Dictionary(
                        uniqueKeysWithValues: record.contents.map {
                            ($0.key, Lane(channel: $0.key, provider: ProviderURL.name(of: $0.value.provider)))
                        }),
                    fields: record.fields)
            }
        }
        try await published.publish(publications, fencingToken: fencingToken)
        shown.merge(shows) { $1 }
    }

    /// - Parameter record: nil leaves the definition that was published before.
    private func publication(_ work: MailingWork, _ record: MailingRecord?) async throws -> PublishedMailings.Publication {
        var publication = PublishedMailings.Publication(
            id: work.id, definition: record?.mailing, state: work.state, speed: work.speed ?? "")
        publication.contents = record?.contents ?? [:]
        if let mailing = record?.mailing, mailing.tracking != nil {
            publication.number = try await ledger.number(of: work.id)
            publication.tracker = tracker?(mailing)
        }
        return publication
    }

    /// A mailing in work as the ledger has it; nil for one that cannot be read, which is paused, and for one of a newer release, which is
    /// left as it is: the others go on.
    private func record(_ work: MailingWork) async throws -> MailingRecord? {
        do throws(LedgerError) { return try await ledger.mailing(work.id) } catch {
            switch error {
            case .unreadable: break
            case .newerMailing:
                if newer.insert(work.id).inserted { logger.warning("\(error)", metadata: ["mailing": "\(work.id)"]) }
                return nil
            default: throw error
            }
            let reason = StateReason(kind: .input, text: "\(error)")
            if try await ledger.setState(work.id, to: .paused, from: [.sending], reason: reason, now: clocks.milliseconds) {
                logger.error("mailing \(work.id) is paused: \(error)", metadata: ["mailing": "\(work.id)"])
            }
            return nil
        }
    }

    /// Logs what a person or a worker has changed of a mailing.
    private func say(_ work: MailingWork, was known: Shown) async throws {
        if work.state != known.state {
            let reason = try await record(work)?.reason ?? ""
            logger.notice("mailing \(work.id) is now \(work.state.rawValue)\(reason.isEmpty ? "" : ": \(reason)")", metadata: known.fields)
        }
        if (work.speed ?? "") != known.speed {
            logger.notice("mailing \(work.id) has the speed \(work.speed ?? "no limit") now", metadata: known.fields)
        }
    }

    /// Ends recipients by a stop or by the end of a lifetime.
    /// - Parameter time: lifetimes that end before this have ended by every clock.
    func end(_ work: [MailingWork], now: Int64, over time: Int64) async throws {
        // The ledger ends batches that are not with workers; the others come back first.
        for one in work where one.next != nil {
            if one.state == .stopped { _ = try await ledger.stopOpen(one.id, now: now) }
            if let expires = one.expires, time >= expires { _ = try await ledger.expireOverdue(one.id, now: now) }
        }
    }

    /// Marks mailings as sent that are complete.
    func complete(_ work: [MailingWork], now: Int64) async throws -> Set<MailingID> {
        let complete = work.filter { $0.state == .sending && $0.isComplete }.map(\.id)
        guard !complete.isEmpty else { return [] }
        let sent = try await ledger.complete(complete, now: now)
        for id in sent { try await remove(id) }
        return sent
    }

    private func remove(_ id: MailingID) async throws {
        try await published.remove(id, fencingToken: fencingToken)
        guard let known = shown.removeValue(forKey: id) else { return }
        logger.info("mailing \(id) '\(known.name)' has ended", metadata: known.fields)
    }

    /// Removes published mailings that have ended: a dispatcher may have ended before it could do that.
    func removeEnded() async throws {
        let inWork = try await Set(ledger.work().map(\.id))
        for id in try await published.all() where !inWork.contains(id) { try await published.remove(id, fencingToken: fencingToken) }
    }

    /// Batches that are in Redis by the ledger, and are not there: a dispatcher ended between marking and dispatching.
    private func reconcile(_ new: [MailingWork], _ epoch: Epoch) async throws {
        try await listDispatchedBefore(new)
        let missing = try await takeBackMissing(new.filter { $0.dispatched > 0 }.map(\.id), epoch)
        for (id, batches) in Dictionary(grouping: missing, by: \.batch.mailing) {
            logger.notice(
                "mailing \(id): \(Plural.text(batches.count, "batch", "batches")) did not reach Redis: dispatched again",
                metadata: ["mailing": "\(id)"])
        }
    }

    /// Lists recipients of mailings that were planned again after a fail-over: the server before had dispatched some of their batches.
    private func listDispatchedBefore(_ new: [MailingWork]) async throws {
        let fresh = new.filter { $0.isPlanned && $0.dispatched == 0 && $0.open == $0.planned }.map(\.id)
        guard !fresh.isEmpty else { return }
        for (id, last) in try await epochs.reached(fresh) {
            // Whoever was suppressed meanwhile is not in the plan, so that others move to an earlier place.
            let listed = try await ledger.listDispatchedBefore(
                id, upTo: last + 1, why: "a server that is gone had dispatched its batch", now: clocks.milliseconds)
            guard listed > 0 else { continue }
            logger.error(
                """
                mailing \(id) was planned again; listed as uncertain are \(Plural.text(listed, "recipient")), as the server that had \
                the ledger before had dispatched their batches
                """, metadata: ["mailing": "\(id)"])
        }
    }

    /// Takes back the dispatches of mailings that Redis does not hold. No worker has had them or will: they are dispatched again, under a
    /// new number.
    private func takeBackMissing(_ ids: [MailingID], _ epoch: Epoch) async throws -> [Dispatch] {
        guard !ids.isEmpty else { return [] }
        let marked = try await ledger.openDispatches(of: ids)
        let known = try await queue.dispatched(ids, epoch: epoch)
        var missing: [Dispatch] = []
        for (id, marks) in marked {
            for mark in marks where known[id]?[mark.number] != mark.dispatchNumber {
                let dispatch = Dispatch(batch: BatchID(mailing: id, number: mark.number), dispatchNumber: mark.dispatchNumber)
                if try await queue.withdraw(dispatch, epoch: epoch, fencingToken: fencingToken) { missing.append(dispatch) }
            }
        }
        _ = try await ledger.takeBack(missing, now: clocks.milliseconds)
        return missing
    }

    /// Takes back, at a stop in good order, the batches that no worker has: nobody in them becomes uncertain, whatever happens to Redis
    /// before the next start.
    func recall() async {
        do {
            let ids = try await ledger.work().filter { $0.dispatched > 0 && (only == nil || $0.id == only) }.map(\.id)
            guard !ids.isEmpty, case .steady(let epoch) = try await epochs.look() else { return }
            _ = try await queue.recall(Set(ids), epoch: epoch, fencingToken: fencingToken)
            let taken = try await takeBackMissing(ids, epoch)
            if !taken.isEmpty {
                logger.info("\(Plural.text(taken.count, "batch", "batches")) that no worker had: taken back until the next start")
            }
        } catch {
            logger.warning("batches that no worker has stay in Redis until the next start, which needs that Redis as it is: \(error)")
        }
    }

    /// Dispatches as many batches as `DispatchChoice` says.
    func dispatch(_ work: [MailingWork], _ epoch: Epoch, now: Int64) async throws {
        let sending = work.filter { one in one.state == .sending && (one.next.map { $0 <= now } ?? false) && shown[one.id] != nil }
        guard !sending.isEmpty else { return }
        let counts = try await queue.dispatchedCounts(sending.map(\.id))
        let lanes = Set(sending.compactMap { shown[$0.id]?.lane })
        let depths = try await Dictionary(uniqueKeysWithValues: zip(lanes, queue.counts(Array(lanes)))).mapValues {
            DispatchChoice.Depth(entries: $0.entries, pending: $0.pending)
        }
        let candidates = zip(sending, counts).compactMap { one, known -> DispatchChoice.Candidate? in
            guard let lane = shown[one.id]?.lane else { return nil }
            // Batches are as large as the mailing's speed was when they were cut.
            let batchSize = max(1, Double(one.planned) / Double(max(1, one.batches)))
            return DispatchChoice.Candidate(
                mailing: one.id, lane: lane, known: known, busy: one.busy, mostlyOpen: one.mostlyOpen, batchSize: batchSize,
                batchBytes: shown[one.id]?.batchBytes ?? 0,
                speed: one.speed.flatMap { try? RateLimit($0) })
        }
        let wanted = await choice.choose(
            candidates, depths: depths, workerCount: epochs.workerCount, distance: broker.redis.roundTrip.bound, at: clocks.now)
        guard !wanted.isEmpty else { return }
        let batches = try await ledger.dispatchBatches(wanted, bytes: DispatchBytes(batch: batchBytes), now: now).compactMap { batch in
            shown[batch.id.mailing].map { (batch: batch, lane: $0.lane(of: batch)) }
        }
        for (batch, _) in batches { shown[batch.id.mailing]?.note(bytes: batch.recipients.count) }
        for (batch, _) in batches { logger.dispatched(batch, shown[batch.id.mailing]?.fields ?? [:]) }
        do {
            try await noteCommits()
            own.note(batches.map(\.batch.id.mailing))
            _ = try await queue.dispatch(batches, epoch: epoch, fencingToken: fencingToken)
        } catch {
            doubt(batches.map(\.batch.id.mailing))
            throw error
        }
        for (lane, batches) in Dictionary(grouping: batches, by: \.lane) { choice.dispatched(batches.count, to: lane) }
    }
}
