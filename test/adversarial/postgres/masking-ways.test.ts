import { byWay } from './masking/corpus.ts';
import { attackMasks } from './masking.suite.ts';

attackMasks(byWay);
