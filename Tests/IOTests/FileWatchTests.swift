import CLinux
import Core
import Glibc
import TestSupport
import Testing

@testable import IO

@Suite struct FileWatchTests {
    private let authority: TestAuthority

    init() throws { authority = try TestAuthority() }

    @Test func nothingChangesByItself() {
        let watch = FileWatch([authority.file("a", "one"), authority.path("absent")])
        #expect(!watch.hasChanged())
        #expect(!watch.hasChanged())
    }

    @Test func aNewContentIsToldOnce() {
        let path = authority.file("a", "one")
        let watch = FileWatch([authority.file("b", "other"), path])
        _ = authority.file("a", "longer")
        #expect(watch.hasChanged())
        #expect(!watch.hasChanged())
    }

    @Test func theSameLengthInPlaceIsSeenByItsTime() {
        let path = authority.file("a", "one")
        let watch = FileWatch([path])
        var times = [timespec(tv_sec: 1, tv_nsec: 5), timespec(tv_sec: 1, tv_nsec: 5)]
        unsafe utimensat(AT_FDCWD, path, &times, 0)
        #expect(watch.hasChanged())
        times[1].tv_nsec = 6
        unsafe utimensat(AT_FDCWD, path, &times, 0)
        #expect(watch.hasChanged())
        #expect(!watch.hasChanged())
    }

    @Test func goingAndComingAreChanges() {
        let path = authority.file("a", "one")
        let watch = FileWatch([path])
        unsafe unlink(path)
        #expect(watch.hasChanged())
        #expect(!watch.hasChanged())
        _ = authority.file("a", "one")
        #expect(watch.hasChanged())
    }

    @Test func anExchangedLinkIsAChange() {
        let (old, new) = (authority.file("old", "one"), authority.file("new", "one"))
        let (link, next) = (authority.path("link"), authority.path("next"))
        unsafe symlink(old, link)
        unsafe symlink(new, next)
        let watch = FileWatch([link])
        #expect(!watch.hasChanged())
        unsafe rename(next, link)
        #expect(watch.hasChanged())
        #expect(!watch.hasChanged())
    }
}
