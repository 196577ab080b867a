import Model
import Policy
import Testing

@Suite struct DamagedTokensTests {
    private let good = Array("IwAAAAEAACAAwLKhV4BmVQCb7zM".utf8)

    private func isNear(_ damaged: String) -> Bool {
        var tokens = DamagedTokens(window: 2000)
        tokens.add(Array(damaged.utf8), by: 7, at: 1000)
        return tokens.isNear(good, by: 7, at: 1500)
    }

    @Test(arguments: [
        "IwAAAAEAACAAwLKhV4BmVQCb7zM", "IwAAAAEAACAAwLKhV4BmVQCb7z", "IwAAAAEA", "IwAAAAEAACAAwLKhV4BmVQCb7zM=",
        "iwaaaaeaacaawlkhv4bmvqcb7zm", "IwAAAAEAACAAwLKhV4BmVQCbXXX", "XwAAAAEAACAAwLKhV4BmVQCb7zM",
    ]) func whatWasChangedLittleOrCutOffIsNear(_ damaged: String) { #expect(isNear(damaged)) }

    @Test(arguments: [
        "IwAAAAE", "IwAAAAEAACAAwLKhV4BmVQCXXXX", "IwAAAAEAADAAwLKh", "AAAAAAAAAAAAAAAAAAAAAAAAAAA", "index.html", "",
    ]) func othersAreNot(_ damaged: String) { #expect(!isNear(damaged)) }

    @Test func onlyTheSameVisitorSoonAfterCounts() {
        var tokens = DamagedTokens(window: 2000)
        tokens.add(good.dropLast(), by: 7, at: 1000)
        #expect(tokens.isNear(good, by: 7, at: 1000) && tokens.isNear(good, by: 7, at: 3000))
        #expect(!tokens.isNear(good, by: 7, at: 3001) && !tokens.isNear(good, by: 7, at: 999) && !tokens.isNear(good, by: 8, at: 1000))
        tokens.add(good.dropLast(), by: 0, at: 1000)
        #expect(!tokens.isNear(good, by: 0, at: 1000) && tokens.count == 1)
    }

    @Test func memoryIsBoundedWhateverStrangersSend() {
        var tokens = DamagedTokens(window: 2000)
        var generator = SeededGenerator(seed: 1)
        for time in 0..<8_000 {
            let visitor = generator.chance(0.2) ? 7 : UInt64.random(in: 1 ... .max, using: &generator)
            let length = Int.random(in: 8...64, using: &generator)
            tokens.add([UInt8](repeating: UInt8(truncatingIfNeeded: time), count: length), by: visitor, at: Int64(time))
        }
        #expect(tokens.count == DamagedTokens.most)
        // The last ones are among them.
        tokens.add(good.dropLast(), by: 9, at: 8_000)
        #expect(tokens.isNear(good, by: 9, at: 8_000) && tokens.count == DamagedTokens.most)
    }
}
