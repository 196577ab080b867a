import Broker
import Logging
import Model
import Policy
import Signing
import Synchronization
import Transport

extension BatchDelivery {
    /// The texts of a group, in one piece of memory. Those that are signed are made on threads of their own.
    func compose(_ open: [OpenRecipient]) async -> MessageGroup {
        mailing.composer.signer == nil ? group(open) : await worker.signing.run { group(open) }
    }

    private func group(_ open: [OpenRecipient]) -> MessageGroup {
        let source = MailingComposer.Source(
            recipients, batch: lease.batch.id, date: worker.now, size: worker.messageSize.load(ordering: .relaxed))
        var group = mailing.composer.group(open, of: source, for: mailing.capabilities)
        worker.messageSize.store(group.bytes.count / max(1, open.count) + 256, ordering: .relaxed)
        group.mayFinish = { [worker, batch] in worker.holds(batch) }
        if group.recompose != nil, mailing.composer.signer != nil {
            group.elsewhere = { [signing = worker.signing] in signing.start($0) }
        }
        return group
    }

    /// The results of those who were suppressed since their batch was dispatched.
    func skipped(_ open: [OpenRecipient]) -> [RecipientResult] {
        let (suppressed, dispatched) = (worker.suppressed, lease.batch.dispatched)
        guard suppressed.mayConcern(dispatched: dispatched) else { return [] }
        let target = SuppressionTarget(mailing.mailing.channel, category: mailing.mailing.category ?? "")
        let now = worker.now
        var key: [UInt8] = []
        return recipients.bytes.withUnsafeBufferPointer { bytes in
            open.compactMap { item in
                key.removeAll(keepingCapacity: true)
                AddressKey.append(of: UnsafeBufferPointer(rebasing: bytes[recipients.range(item.index, 1)]), target.channel, to: &key)
                let found = suppressed.suppression(of: key, target, dispatched: dispatched)
                return found.map { RecipientResult(skipped: item, by: $0, at: now) }
            }
        }
    }

    /// Whether somebody of the mailing has been accepted: a refusal is then not everybody's. Batches hold what the whole fleet saw.
    private func isProven(_ responses: [ProviderResponse?]) -> Bool {
        if mailing.isProven { return true }
        let isProven = lease.batch.isProven || !worker.configuration.refusals.needsProof || responses.contains { $0?.action == .accept }
        if isProven { mailing.noteProof() }
        return isProven
    }

    /// How many recipients of a group may fail though nobody of the mailing was accepted yet, for refusals that are certainly their own. A
    /// few may in the whole fleet, so that a small mailing to dead addresses ends; when so many have, the others wait, for the refusal may
    /// be everybody's nevertheless.
    func failures(_ open: [OpenRecipient], _ responses: [ProviderResponse?]) async -> Int {
        guard !isProven(responses) else { return .max }
        let count = zip(open, responses).count { isEnd($0, $1) }
        guard count > 0 else { return 0 }
        do throws(RedisError) {
            return try await worker.queue.mayFail(count, of: mailing.id, most: worker.configuration.refusals.alike)
        } catch {
            worker.logger.debug("it cannot be asked who may fail: \(error)", metadata: fields)
            return 0
        }
    }

    /// A recipient fails by a response that is certainly its own.
    private func isEnd(_ item: OpenRecipient, _ response: ProviderResponse?) -> Bool {
        guard let response, response.subject == .recipient else { return false }
        return switch response.action {
        case .fail, .pauseMailing: true
        case .retry, .reconnect, .count: item.attempts + 1 >= rule.attempts
        case .accept, .slowDown, .slowDownDomain: false
        }
    }

    /// The places in a group whose refusals may be everybody's, because nobody has been accepted since.
    private func doubtful(_ open: [OpenRecipient], _ responses: [ProviderResponse?], now: Int64) -> Set<Int> {
        guard worker.configuration.refusals.window > 0 else { return [] }
        let batch = lease.batch.id.number
        let behind = (responses.lastIndex { $0?.action == .accept } ?? -1) + 1
        return mailing.judgeUnclear { unclear in
            if behind > 0, !unclear.isQuiet {
                unclear.noteAccepted()
                for item in open[..<behind] { unclear.forget(UnclearRefusals.Key(batch: batch, index: item.index)) }
            }
            var places: Set<Int> = []
            for place in behind..<responses.count {
                guard let response = responses[place], response.subject == .unclear else { continue }
                let speaksOfUs = response.action == .pauseMailing
                guard speaksOfUs || response.action == .fail else { continue }
                let key = UnclearRefusals.Key(batch: batch, index: open[place].index)
                if unclear.note(key, at: now, speaksOfUs: speaksOfUs) { places.insert(place) }
            }
            return places
        }
    }

    /// What the responses to a group mean.
    /// - Parameters:
    ///   - late: places in the group whose responses are late.
    ///   - failures: how many may fail though nobody of the mailing was accepted yet.
    func judge(
        _ open: [OpenRecipient], _ responses: [ProviderResponse?], late: Set<Int> = [], failures: Int, _ retries: LocalRetryRule
    ) -> GroupOutcome {
        var outcome = GroupOutcome()
        outcome.results.reserveCapacity(open.count)
        let now = worker.now
        var rule = rule
        rule.expires += min(worker.delay, .max - rule.expires)
        let isOutage = mailing.link.breaker.isOpen
        let isProven = isProven(responses)
        var failures = failures
        let doubtful = isProven ? doubtful(open, responses, now: now) : []
        var generator = SystemRandomNumberGenerator()
        for (place, (item, response)) in zip(open, responses).enumerated() {
            guard var response else {
                if !late.contains(place) { outcome.unsent.append(item) }
                continue
            }
            if response.action == .reconnect, [.connect, .tls, .greeting].contains(response.stage) {
                outcome.noteUnsent(item, response)
                continue
            }
            outcome.count(response, isRetry: item.attempts > 0)
            if response.mayHaveArrived, worker.isCut, rule.uncertain == .redeliver {
                // Our stop is the cause: the recipient is listed, and another worker sends again without spending an attempt.
                outcome.results.append(
                    rule.uncertain(OutcomeRule.Attempt(index: item.index, response: response, spent: item.attempts, at: now)))
                outcome.unsent.append(item)
                continue
            }
            if response.action == .pauseMailing, response.subject == .everybody { worker.refused(mailing, response) }
            if !isProven, isEnd(item, response) {
                if failures == 0 { response.subject = .unclear }
                failures = max(0, failures - 1)
            }
            var attempt = OutcomeRule.Attempt(index: item.index, response: response, spent: item.attempts, at: now)
            attempt.isOutage = isOutage
            attempt.doubt = isProven ? doubtful.contains(place) ? .sinceAcceptance : nil : .beforeAcceptance
            rule.append(attempt, using: &generator, to: &outcome.results)
            // A retry that is due soon stays in the worker. A message that may have arrived goes to the ledger first, which lists it.
            if let last = outcome.results.last, !response.mayHaveArrived, !worker.isStopping, retries.takes(last, now: now) {
                outcome.results.removeLast()
                outcome.retries.append(last)
            }
        }
        return outcome
    }
}

extension RecipientResult {
    fileprivate init(skipped item: OpenRecipient, by entry: RecentSuppressions.Entry, at now: Int64) {
        let what = entry.key.category.isEmpty ? "all mailings" : entry.key.category
        self.init(
            index: item.index, state: .skipped, attempts: item.attempts, at: now,
            response: ProviderResponse(
                .policy, .fail, about: .recipient, stage: .connect, code: 0, text: "\(entry.reason), for \(what), before it was started"))
    }
}
