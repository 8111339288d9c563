"""The rules, those that win most first."""

from perftrace.optimizer.engines.rules.any_equality import AnyEquality
from perftrace.optimizer.engines.rules.any_loop import AnyLoop
from perftrace.optimizer.engines.rules.append_comprehension import AppendComprehension
from perftrace.optimizer.engines.rules.append_each import AppendEach
from perftrace.optimizer.engines.rules.bit_count import BitCount
from perftrace.optimizer.engines.rules.cache_results import CacheResults
from perftrace.optimizer.engines.rules.common_subexpression import CommonSubexpression
from perftrace.optimizer.engines.rules.compile_regex import CompileRegex
from perftrace.optimizer.engines.rules.concat_append import ConcatAppend
from perftrace.optimizer.engines.rules.condition_cache import ConditionCache
from perftrace.optimizer.engines.rules.constant_membership import ConstantMembership
from perftrace.optimizer.engines.rules.constant_table import ConstantTable
from perftrace.optimizer.engines.rules.count_dict import CountDict
from perftrace.optimizer.engines.rules.count_in_loop import CountInLoop
from perftrace.optimizer.engines.rules.deque_queue import DequeQueue
from perftrace.optimizer.engines.rules.dict_get import DictGet
from perftrace.optimizer.engines.rules.eager_comprehension import EagerComprehension
from perftrace.optimizer.engines.rules.equality_chain import EqualityChain
from perftrace.optimizer.engines.rules.extend_loop import ExtendLoop
from perftrace.optimizer.engines.rules.find_in import FindIn
from perftrace.optimizer.engines.rules.flat_copy import FlatCopy
from perftrace.optimizer.engines.rules.import_hoist import ImportHoist
from perftrace.optimizer.engines.rules.isinstance_tuple import IsinstanceTuple
from perftrace.optimizer.engines.rules.join_replace import JoinReplace
from perftrace.optimizer.engines.rules.key_getter import KeyGetter
from perftrace.optimizer.engines.rules.keys_membership import KeysMembership
from perftrace.optimizer.engines.rules.largest_divisor import LargestDivisor
from perftrace.optimizer.engines.rules.loop_invariant import LoopInvariant
from perftrace.optimizer.engines.rules.map_lambda import MapLambda
from perftrace.optimizer.engines.rules.membership_set import MembershipSet
from perftrace.optimizer.engines.rules.memoize_recursion import MemoizeRecursion
from perftrace.optimizer.engines.rules.minmax_conditional import MinmaxConditional
from perftrace.optimizer.engines.rules.mirror import Mirror
from perftrace.optimizer.engines.rules.modular_power import ModularPower
from perftrace.optimizer.engines.rules.needless_copy import NeedlessCopy
from perftrace.optimizer.engines.rules.nested_join import NestedJoin
from perftrace.optimizer.engines.rules.odd_divisors import OddDivisors
from perftrace.optimizer.engines.rules.parity import Parity
from perftrace.optimizer.engines.rules.range_len import RangeLen
from perftrace.optimizer.engines.rules.regex_method import RegexMethod
from perftrace.optimizer.engines.rules.row_hoist import RowHoist
from perftrace.optimizer.engines.rules.rule import Rule
from perftrace.optimizer.engines.rules.seen_set import SeenSet
from perftrace.optimizer.engines.rules.slice_clamp import SliceClamp
from perftrace.optimizer.engines.rules.sorted_end import SortedEnd
from perftrace.optimizer.engines.rules.split_partition import SplitPartition
from perftrace.optimizer.engines.rules.square import Square
from perftrace.optimizer.engines.rules.starts_tuple import StartsTuple
from perftrace.optimizer.engines.rules.string_join import StringJoin
from perftrace.optimizer.engines.rules.sum_loop import SumLoop
from perftrace.optimizer.engines.rules.sum_range import SumRange
from perftrace.optimizer.engines.rules.trial_division import TrialDivision
from perftrace.optimizer.engines.rules.while_counter import WhileCounter

RULES: tuple[Rule, ...] = (
    # Better algorithms: the gain grows with the data.
    NestedJoin(),
    AnyEquality(),
    MembershipSet(),
    SeenSet(),
    MemoizeRecursion(),
    TrialDivision(),
    ModularPower(),
    OddDivisors(),
    LargestDivisor(),
    SumRange(),
    CountInLoop(),
    LoopInvariant(),
    RowHoist(),
    DequeQueue(),
    ConcatAppend(),
    ConditionCache(),
    Mirror(),
    JoinReplace(),
    SortedEnd(),
    FlatCopy(),
    # Work moved out of the call.
    RegexMethod(),
    CompileRegex(),
    ConstantTable(),
    ImportHoist(),
    CommonSubexpression(),
    # The same work with fewer steps of the interpreter.
    ConstantMembership(),
    AppendComprehension(),
    ExtendLoop(),
    EagerComprehension(),
    AnyLoop(),
    MapLambda(),
    KeyGetter(),
    NeedlessCopy(),
    SumLoop(),
    AppendEach(),
    WhileCounter(),
    SliceClamp(),
    CountDict(),
    RangeLen(),
    StringJoin(),
    MinmaxConditional(),
    KeysMembership(),
    SplitPartition(),
    StartsTuple(),
    IsinstanceTuple(),
    EqualityChain(),
    FindIn(),
    DictGet(),
    Square(),
    Parity(),
    BitCount(),
    # State between calls: last, and never without a look.
    CacheResults(),
)
