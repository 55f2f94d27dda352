import { byExit } from './masking/corpus.ts';
import { attackMasks } from './masking.suite.ts';

attackMasks(byExit);
