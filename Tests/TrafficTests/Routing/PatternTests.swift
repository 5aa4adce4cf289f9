import Core
import Testing

@testable import Traffic

@Suite struct PatternTests {
    @Test func groupsAreFoundInTheSubject() throws {
        let scratch = PatternScratch()
        let pattern = try Pattern("^/(a+)/(x)?(b)$")
        #expect(pattern.match("/aa/b".bytes.span, scratch) == .match)
        #expect(pattern.groupCount == 3)
        #expect(scratch.range(ofGroup: 0) == 0..<5)
        #expect(scratch.range(ofGroup: 1) == 1..<3)
        #expect(scratch.range(ofGroup: 2) == nil)
        #expect(scratch.range(ofGroup: 3) == 4..<5)
        #expect(scratch.range(ofGroup: 4) == nil)
        #expect(pattern.match("/b".bytes.span, scratch) == .noMatch)
        #expect(scratch.range(ofGroup: 0) == nil)
    }

    @Test func moreGroupsThanTenAreNoObstacle() throws {
        let scratch = PatternScratch()
        let pattern = try Pattern("(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)(k)")
        #expect(pattern.match("abcdefghijk".bytes.span, scratch) == .match)
        #expect(scratch.range(ofGroup: 9) == 8..<9)
        #expect(scratch.range(ofGroup: 10) == nil)
    }

    @Test func caseIsIgnoredOnDemand() throws {
        let scratch = PatternScratch()
        #expect(try Pattern("ABC").match("abc".bytes.span, scratch) == .noMatch)
        #expect(try Pattern("ABC", ignoresCase: true).match("abc".bytes.span, scratch) == .match)
    }

    @Test func anEmptySubjectIsASubject() throws {
        let scratch = PatternScratch()
        #expect(try Pattern("^$").match([UInt8]().span, scratch) == .match)
        #expect(try Pattern("x").match([UInt8]().span, scratch) == .noMatch)
    }

    @Test func bytesThatAreNoTextMatchAsBytes() throws {
        #expect(try Pattern("^.\\xFF$").match([0xC0, 0xFF].span, PatternScratch()) == .match)
    }

    @Test func aMistakeHasPCRE2sWordsAndItsPlace() {
        do throws(Pattern.CompileError) {
            _ = try Pattern("ab(c")
            Issue.record("compiled")
        } catch {
            #expect(error == Pattern.CompileError(message: "missing closing parenthesis", offset: 4))
        }
    }

    @Test func catastrophicBacktrackingEndsAtTheLimit() throws {
        let subject = Array(repeating: UInt8(ascii: "a"), count: 200) + [UInt8(ascii: "!")]
        #expect(try Pattern("^(a|a)*$").match(subject.span, PatternScratch()) == .failed)
        #expect(try Pattern("^(([a-z])+.)+[A-Z]([a-z])+$").match(subject.span, PatternScratch()) == .failed)
    }
}
