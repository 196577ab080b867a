package import Model
import Policy
import Text

/// Turns the rows of a file into the batches of a mailing. It checks rows and addresses and brings these into their normal form, drops
/// duplicates (the first row with an address counts), and gives the reason for every row that it excludes. Its memory is bounded.
package struct RecipientPlanner {
    /// The names of a recipient's values in the order of the batches, for `Mailing.fields`: id, address, all others, and `ValueKinds`
    /// where they are kept.
    package let fields: [String]
    /// All columns of the file.
    package let columns: [String]
    /// Rows read so far.
    package private(set) var rows = 0

    let source: RecipientSource
    private let channel: Channel
    private let country: PhoneCountry?
    private let bounds: Bounds
    /// Rows that were planned before a restart.
    private let planned: Int
    /// Of the rows that were planned before a restart.
    private let expected: RowChecksum?
    /// Of the rows that were read so far.
    var checksum = RowChecksum()
    /// The file as it was when it was opened.
    let stamp: FileStamp
    let idColumn: Int?
    let addressColumn: Int
    /// The columns of `fields`, from the third.
    private let kept: [Int]
    /// Batches hold `ValueKinds`.
    private let keepsKinds: Bool
    private var reader: RecipientReader
    var addresses: DuplicateSet
    private let exclusions: Exclusions
    let isStopping: () -> Bool
    var row = InputRow()
    /// `row` was read and not yet planned.
    private var hasRow = false
    private var normal: [UInt8] = []
    /// The row's telephone number is in no range that is known.
    private var isUnverified = false
    private var key: [UInt8] = []
    /// The row's address may be suppressed.
    private var isCandidate = false

    /// NDJSON: keys that were ignored because none of the first objects has them.
    package var ignored: [NDJSONReader.IgnoredKey] { reader.ignored }

    /// Opens the file, finds the columns, and makes sure that there is a first row.
    /// - Parameters:
    ///   - keeping: the columns that batches hold beside id and address, and `ValueKinds.field` for the kinds of all; nil for all columns.
    ///   - planned: what was planned before a restart.
    ///   - isStopping: asked again and again; reading ends by an error that is `isInterrupted` where it says so.
    package init(
        source: RecipientSource, channel: Channel, keeping names: Set<String>? = nil, bounds: Bounds = Bounds(),
        after planned: PlannedRows = PlannedRows(), excluding exclusions: Exclusions = Exclusions(),
        isStopping: @escaping () -> Bool = { false }
    ) throws(InputError) {
        precondition(bounds.size > 0)
        stamp = try FileStamp(path: source.file)
        expected = planned.checksum.map { RowChecksum(value: $0) }
        self.source = source
        self.channel = channel
        self.bounds = bounds
        self.planned = planned.count
        self.exclusions = exclusions
        self.isStopping = isStopping
        if let code = source.country {
            guard let country = PhoneCountry(code) else {
                throw InputError(
                    file: source.file, problem: "has the country '\(code)', which is no ISO 3166-1 code such as DE")
            }
            self.country = country
        } else {
            country = nil
        }
        reader = try RecipientReader(source, isStopping: isStopping)
        let columns = reader.columns
        self.columns = columns
        let addressColumn = try Self.find(source.address, "address", in: columns, of: source)
        self.addressColumn = addressColumn
        let idColumn = source.id.isEmpty ? nil : try Self.find(source.id, "id", in: columns, of: source)
        self.idColumn = idColumn
        var kept: [Int] = []
        for (index, name) in columns.enumerated() where !name.isEmpty && index != addressColumn && index != idColumn {
            if names?.contains(name) ?? true { kept.append(index) }
        }
        self.kept = kept
        let idName = idColumn.map { columns[$0] } ?? (columns.contains("id") ? "row_number" : "id")
        keepsKinds = names?.contains(ValueKinds.field) ?? false
        fields = [idName, columns[addressColumn]] + kept.map { columns[$0] } + (keepsKinds ? [ValueKinds.field] : [])
        var generator = SystemRandomNumberGenerator()
        addresses = DuplicateSet(using: &generator)
        hasRow = try reader.next(&row)
        guard hasRow else {
            throw InputError(file: source.file, problem: "has a header and no recipients; add a row for each")
        }
    }

    /// A chunk for `next`, which it fills again and again.
    package func makeChunk() -> PlannedChunk { PlannedChunk(width: fields.count) }

    /// Fills a chunk with what comes next; false, with an empty chunk, behind the last row.
    /// - Throws: `InputError`, also when the file has changed since it was opened, or since it was read before a restart: what was read may
    ///   be a mixture. `ScratchFile.Fault` where the addresses of earlier rows cannot be read back.
    package mutating func next(_ chunk: inout PlannedChunk) throws -> Bool {
        let hasMore: Bool
        do {
            hasMore = try fill(&chunk)
        } catch let error as InputError {
            // A row that cannot be read may be one half of another.
            try checkStamp()
            throw error
        }
        if !hasMore {
            if rows < planned { throw Self.changedSince(planned, source) }
            try checkWhole()
        }
        return hasMore
    }

    /// The checksum of the rows that were read so far.
    package var rowsChecksum: UInt64 { checksum.value }

    private mutating func fill(_ chunk: inout PlannedChunk) throws -> Bool {
        chunk.removeAll()
        while chunk.recipients.count < bounds.size, chunk.exclusions.count < PlannedChunk.exclusionLimit,
            chunk.reachedBefore < PlannedChunk.reachedLimit
        {
            if !hasRow { hasRow = try reader.next(&row) }
            guard hasRow else { break }
            let size = wireSize
            // A row that does not fit any more begins the next batch.
            if chunk.bytes > 0, chunk.bytes + size > bounds.bytes { break }
            hasRow = false
            rows += 1
            checksum.add(row)
            if rows == planned, let expected, expected != checksum { throw Self.changedSince(planned, source) }
            try plan(into: &chunk, size: size)
        }
        chunk.rows = rows
        return !chunk.recipients.isEmpty || !chunk.exclusions.isEmpty || chunk.reachedBefore > 0
    }

    /// Bytes that the row takes in a batch; 0 for one that cannot be read, which has not all values.
    private var wireSize: Int {
        guard row.fault == nil else { return 0 }
        if row.isUnescaped, !keepsKinds {
            let head = row.ranges[addressColumn].count + 3 + (idColumn.map { row.ranges[$0].count + 3 } ?? 20)
            return kept.reduce(head) { $0 + row.ranges[$1].count + 3 }
        }
        return row.bytes.withUnsafeBufferPointer { bytes in
            func size(_ column: Int) -> Int { UnsafeBufferPointer(rebasing: bytes[row.ranges[column]]).jsonEscapedCount + 3 }
            let kinds = keepsKinds ? (row.nested.isEmpty ? 0 : kept.count + 2) + 3 : 0
            let head = size(addressColumn) + (idColumn.map(size) ?? 20) + kinds
            return kept.reduce(head) { $0 + size($1) }
        }
    }

    private mutating func plan(into chunk: inout PlannedChunk, size: Int) throws(ScratchFile.Fault) {
        let isOutput = rows > planned
        isUnverified = false
        isCandidate = false
        if let exclusion = size > bounds.recipientBytes ? tooLarge(size) : examine() {
            if isOutput { chunk.exclusions.append(exclude(exclusion.reason, exclusion.detail)) }
            return
        }
        let entry = key.withUnsafeBufferPointer { addresses.prepare($0) }
        // Whoever is new, as nearly all are, is added while the set's memory is on its way.
        if isOutput { add(to: &chunk.recipients) }
        isCandidate = key.withUnsafeBufferPointer { exclusions.suppressed?.mayContain($0) == true }
        switch try addresses.insert(entry, row: rows) {
        case .new: break
        case .duplicate(let first):
            guard isOutput else { return }
            chunk.recipients.removeLast()
            return chunk.exclusions.append(exclude(.duplicate, "the address of row \(first)"))
        case .reached:
            guard isOutput else { return }
            chunk.recipients.removeLast()
            return chunk.reachedBefore += 1
        }
        guard isOutput else { return }
        chunk.bytes += size
        if isUnverified { chunk.unverified += 1 }
        if isCandidate {
            chunk.candidates.append(
                PlannedChunk.Candidate(
                    place: chunk.recipients.count - 1, row: rows, key: String(decoding: key, as: UTF8.self), isUnverified: isUnverified))
        }
    }

    /// Appends the row's values, in the order of `fields`.
    private func add(to recipients: inout Recipients) {
        row.bytes.withUnsafeBufferPointer { bytes in
            func value(_ column: Int) -> UnsafeBufferPointer<UInt8> {
                UnsafeBufferPointer(rebasing: bytes[row.ranges[column]])
            }
            if let idColumn {
                recipients.append(value(idColumn))
            } else {
                recipients.append(String(rows).utf8)
            }
            normal.withUnsafeBufferPointer { recipients.append($0) }
            recipients.append(bytes, row.ranges, of: kept)
            if keepsKinds { recipients.append(kinds) }
        }
    }

    /// The kinds of the row's values, in the order of `fields`.
    private var kinds: [UInt8] {
        if row.nested.isEmpty { return [] }
        let places = row.nested.compactMap { column in
            column == idColumn ? 0 : column == addressColumn ? 1 : kept.firstIndex(of: column).map { $0 + 2 }
        }
        return ValueKinds.text(places, width: kept.count + 2)
    }

    private func tooLarge(_ size: Int) -> (reason: ExclusionReason, detail: String) {
        (
            .tooLarge,
            "its values take \(size) bytes, and \(bounds.recipientBytes) are the most that a recipient may have; "
                + "shorten them, or name fewer columns"
        )
    }

    /// Puts the row's address into `normal`, and its key into `key`.
    /// - Returns: why the row is excluded, or nil.
    private mutating func examine() -> (reason: ExclusionReason, detail: String)? {
        if let fault = row.fault { return (.invalidRow, fault.description) }
        normal.removeAll(keepingCapacity: true)
        key.removeAll(keepingCapacity: true)
        let range = row.ranges[addressColumn]
        let fault: (reason: ExclusionReason, detail: String)? = row.bytes.withUnsafeBufferPointer { bytes in
            let raw = UnsafeBufferPointer(rebasing: bytes[range]).trimmed
            if raw.isEmpty { return (.noAddress, "") }
            do throws(NormalAddress.Fault) {
                isUnverified = try NormalAddress.append(raw, channel, country: country, to: &normal)
                return nil
            } catch {
                return (.invalidAddress, error.description)
            }
        }
        if let fault { return fault }
        if let check = exclusions.check {
            var one = Recipients(width: fields.count)
            add(to: &one)
            if let fault = check.fault(one, row: 0) { return fault }
        }
        normal.withUnsafeBufferPointer { AddressKey.append(of: $0, channel, to: &key) }
        return nil
    }
}
